using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Kohakku.Contracts.Json;

namespace Kohakku.Tests.EndToEnd;

/// <summary>A real source tree, this repository's contracts, as a task's inputs: <c>{ "tree": "base64 of a tar.gz" }</c>.</summary>
internal static class SourceTree
{
    /// <summary>Unpacks the tree, counts its lines by language, and leaves a report and a result.</summary>
    public const string CountLines = """
        sed 's/.*"tree" *: *"\([^"]*\)".*/\1/' inputs.json | tr -d '\n' | base64 -d > tree.tar.gz
        mkdir tree
        tar -xzf tree.tar.gz -C tree
        echo "# Lines by language" > output/report.md
        total=0
        for language in cs csproj; do
          lines=$(find tree -name "*.$language" -exec cat {} + | wc -l)
          echo "counted $language: $lines"
          echo "- $language: $lines" >> output/report.md
          total=$((total + lines))
        done
        echo "{\"total\": $total}" > output/result.json
        """;

    public static string RepositoryRoot { get; } = FindRoot();

    public static IReadOnlyList<FileInfo> Files { get; } =
    [
        .. new DirectoryInfo(Path.Combine(RepositoryRoot, "Kohakku.Contracts")).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(file => file.Extension is ".cs" or ".csproj" && !file.FullName.Contains("/obj/", StringComparison.Ordinal)),
    ];

    public static int LinesOf(string extension) => Files.Where(file => file.Extension == extension).Sum(file => File.ReadAllText(file.FullName).Count(c => c == '\n'));

    public static async Task<JsonElement> AsInputsAsync()
    {
        using var archive = new MemoryStream();
        await using (var zip = new GZipStream(archive, CompressionLevel.Fastest, leaveOpen: true))
        await using (var tar = new TarWriter(zip))
        {
            foreach (var file in Files) await tar.WriteEntryAsync(file.FullName, Path.GetRelativePath(RepositoryRoot, file.FullName));
        }
        return JsonSerializer.SerializeToElement<IReadOnlyDictionary<string, string>>(
            new Dictionary<string, string> { ["tree"] = Convert.ToBase64String(archive.ToArray()) }, ContractsJson.Default.IReadOnlyDictionaryStringString);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Kohakku.sln"))) folder = folder.Parent ?? throw new DirectoryNotFoundException("Kohakku.sln is above no folder of these tests.");
        return folder.FullName;
    }
}
