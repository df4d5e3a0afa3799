using System.Diagnostics;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Kohakku.Tests.EndToEnd;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Deploy.Kubernetes;

/// <summary>
/// An overlay as <c>kubectl kustomize</c> renders it, read into the types of the Kubernetes API: a field that the API does not know, or a value of
/// another type, is an error. Rendered once for all tests.
/// </summary>
internal sealed partial class Rendered
{
    public static readonly string[] Overlays = ["development", "production"];
    private static readonly string Folder = Path.Combine(SourceTree.RepositoryRoot, "deploy", "kubernetes");
    private static readonly Dictionary<string, Lazy<Task<Rendered>>> All = Overlays.ToDictionary(
        overlay => overlay, overlay => new Lazy<Task<Rendered>>(async () => new Rendered(await RenderAsync(overlay))));

    private Rendered(string yaml)
    {
        Yaml = yaml;
        Objects = Read(yaml);
        Workloads = [.. Objects.Select(Workload.Of).OfType<Workload>()];
    }

    public string Yaml { get; }
    public IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Objects { get; }
    public IReadOnlyList<Workload> Workloads { get; }

    public IEnumerable<T> Of<T>() => Objects.OfType<T>();

    public T Named<T>(string name, string? @namespace = "kohakku") where T : IKubernetesObject<V1ObjectMeta> =>
        Assert.Single(Of<T>(), each => each.Metadata.Name == name && each.Metadata.NamespaceProperty == @namespace);

    public static async Task<Rendered> OverlayAsync(string overlay)
    {
        Requirement.Program("kubectl", overlay);
        return await All[overlay].Value;
    }

    /// <exception cref="Exception">Something in it is not of the API's schema.</exception>
    public static IReadOnlyList<IKubernetesObject<V1ObjectMeta>> Read(string yaml) =>
        [.. KubernetesYaml.LoadAllFromString(yaml, typeMap: null, strict: true).Cast<IKubernetesObject<V1ObjectMeta>>()];

    public static string FileText(params string[] path) => File.ReadAllText(Path.Combine([Folder, .. path]));

    private static async Task<string> RenderAsync(string overlay)
    {
        if (!await IsOldAsync()) return await KubectlAsync("kustomize", Path.Combine(Folder, "overlays", overlay));
        var copy = Directory.CreateTempSubdirectory("kohakku-kustomize-");
        try
        {
            WriteForOld(copy.FullName);
            return await KubectlAsync("kustomize", Path.Combine(copy.FullName, "overlays", overlay));
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    /// <summary>Before 1.21 (Debian 12 has 1.20) it knows the same by earlier names.</summary>
    private static async Task<bool> IsOldAsync() =>
        MinorVersion().Match(await KubectlAsync("version", "--client", "--output=json")) is { Success: true } match
        && int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) < 21;

    private static void WriteForOld(string target)
    {
        foreach (var file in Directory.EnumerateFiles(Folder, "*.yaml", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            var text = File.ReadAllText(file);
            if (Path.GetFileName(file) == "kustomization.yaml")
            {
                var folders = FolderEntry().Matches(text).Select(match => match.Groups[1].Value).ToList();
                text = FolderEntry().Replace(text, "").Replace("patches:\n", "patchesStrategicMerge:\n", StringComparison.Ordinal).Replace("- path: ", "- ", StringComparison.Ordinal);
                text = EmptyResources().Replace(text, "");
                text += $"\nbases: [{string.Join(", ", folders)}]\n";
            }
            File.WriteAllText(copy, text);
        }
    }

    private static async Task<string> KubectlAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Requirement.Find("kubectl")!, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"kubectl {string.Join(' ', arguments)} ended with {process.ExitCode}: {await error}");
        return await output;
    }

    [GeneratedRegex("\"minor\": *\"(\\d+)")]
    private static partial Regex MinorVersion();

    // An entry of a list that is no file: `  - ../../base`.
    [GeneratedRegex(@"^  - ([\w./-]*[\w-])(?<!\.yaml)\n", RegexOptions.Multiline)]
    private static partial Regex FolderEntry();

    [GeneratedRegex(@"^resources:\n(?!  - )", RegexOptions.Multiline)]
    private static partial Regex EmptyResources();
}
