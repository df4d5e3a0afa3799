using System.Text.RegularExpressions;
using Kohakku.Tests.EndToEnd;

namespace Kohakku.Tests.Deploy;

/// <summary>docs/configuration.md says what is read, all of it and nothing else.</summary>
public sealed partial class ConfigurationDocumentTests
{
    private static readonly string Document = File.ReadAllText(Path.Combine(SourceTree.RepositoryRoot, "docs", "configuration.md"));

    public static TheoryData<string> Services => [.. KnownSettings.Services];

    [Theory]
    [MemberData(nameof(Services))]
    public void The_table_of_a_service_is_what_its_program_says(string service)
    {
        var (exitCode, output, errors) = KnownSettings.Print(service);
        Assert.Equal((0, ""), (exitCode, errors));
        Assert.Matches(@"^\| key \|", output);

        var table = Regex.Match(Document, $"<!-- settings {service} -->\n(.*?)<!-- end -->", RegexOptions.Singleline).Groups[1].Value;
        Assert.True(output == table, $"docs/configuration.md is not what {service} says of its settings. Run: eng/settings {KnownSettings.Configuration}");
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void Every_setting_is_told_in_one_row_that_a_table_bears(string service)
    {
        var rows = KnownSettings.Print(service).Output.TrimEnd('\n').Split('\n')[2..];
        Assert.True(rows.Length > 15);
        Assert.All(rows, row => Assert.Matches(@"^\| `[A-Za-z0-9_]+` \| [^|]+ \| [^|]+ \| [^|]+\. \|$", row));
        Assert.Distinct(rows.Select(row => row.Split('`')[1]));
    }

    /// <summary>What goes past the reader, which would not say so.</summary>
    [Fact]
    public void Services_read_nothing_that_they_do_not_say()
    {
        string[] projects = ["Kohakku.Controller", "Kohakku.Dispatcher", "Kohakku.Workflows", "Kohakku.Scheduler", "Kohakku.ServiceDefaults"];
        // `urls` is ASPNETCORE_URLS as ASP.NET Core has it.
        Assert.Empty(ReadBy(projects).Except(KnownSettings.OfAny).Except(["urls"]));
    }

    [Theory]
    [InlineData("AppHost", "Kohakku.AppHost", "Kohakku.Local/Hosting")]
    [InlineData("kohakku-local", "Kohakku.Local/ObjectStorage", "Kohakku.Local/Temporal")]
    [InlineData("Benchmarks and tests", "Kohakku.Benchmarks", "Kohakku.Tests")]
    public void What_other_programs_read_stands_in_their_table_and_the_other_way_round(string heading, params string[] folders) =>
        Assert.Equal(ReadBy(folders).Order(StringComparer.Ordinal), Told(heading).Order(StringComparer.Ordinal));

    [Fact]
    public void What_scripts_read_stands_in_their_table_and_the_other_way_round()
    {
        var root = SourceTree.RepositoryRoot;
        var scripts = Directory.EnumerateFiles(Path.Combine(root, "eng")).Where(file => !Path.HasExtension(file)).Append(Path.Combine(root, "Makefile"));
        var read = scripts.SelectMany(file => FromEnvironment().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value + match.Groups[2].Value).ToHashSet();
        Assert.Equal(read.Order(StringComparer.Ordinal), Told("Scripts").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void What_the_AppHost_hands_on_is_read_by_a_service()
    {
        var keys = Regex.Match(Source("Kohakku.AppHost/OperatorSettings.cs"), @"Keys =\s*\[(.*?)\];", RegexOptions.Singleline).Groups[1].Value;
        var handedOn = Quoted().Matches(keys).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.NotEmpty(handedOn);
        Assert.Empty(handedOn.Except(KnownSettings.OfAny));

        // What it sets itself, an operator can set otherwise.
        var set = Quoted().Matches(string.Concat(Regex.Matches(Source("Kohakku.AppHost/Program.cs"), @"WithEnvironment\(""\w+""").Select(match => match.Value))).Select(match => match.Groups[1].Value);
        Assert.Empty(set.Except(handedOn));
    }

    private static HashSet<string> Told(string heading)
    {
        var section = Regex.Match(Document, $"^## {heading}\n(.*?)(?=^## |\\z)", RegexOptions.Singleline | RegexOptions.Multiline).Groups[1].Value;
        return Row().Matches(section).SelectMany(row => Code().Matches(row.Groups[1].Value)).Select(match => match.Groups[1].Value).ToHashSet();
    }

    /// <summary>Names that sources take from the environment or the configuration, by a literal or a constant.</summary>
    private static HashSet<string> ReadBy(params string[] folders)
    {
        var texts = folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(SourceTree.RepositoryRoot, folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)).Select(File.ReadAllText).ToList();
        var read = new HashSet<string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            foreach (Match match in Read().Matches(text))
            {
                if (match.Groups[1].Success) read.Add(match.Groups[1].Value.Replace(":", "__", StringComparison.Ordinal));
                // The constant of the same file, else of any.
                else if (ConstantOf(match.Groups[2].Value, texts.Prepend(text)) is { } value) read.Add(value);
            }
        }
        return read;
    }

    private static string? ConstantOf(string name, IEnumerable<string> texts) => texts
        .Select(text => Regex.Match(text, $"const string {name.Split('.')[^1]} = \"([^\"]+)\"")).FirstOrDefault(match => match.Success)?.Groups[1].Value;

    private static string Source(string path) => File.ReadAllText(Path.Combine(SourceTree.RepositoryRoot, path));

    // By a literal or a constant; but not what a test's own configuration is filled with.
    [GeneratedRegex(@"(?:\bEnvironment\.GetEnvironmentVariable\(|\.Setting\(|\b(?:builder\.)?[Cc]onfiguration\[)(?:""([^""$]+)""|([A-Z][A-Za-z]*(?:\.[A-Z][A-Za-z]*)*))[)\]](?!\s*=[^=])")]
    private static partial Regex Read();

    [GeneratedRegex(@"\$\{([A-Z][A-Z0-9_]+):[-+]|^([A-Z]+) \?= ", RegexOptions.Multiline)]
    private static partial Regex FromEnvironment();

    [GeneratedRegex(@"^\| (`[^|]+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([A-Za-z0-9_]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("\"([A-Za-z0-9_]+)\"")]
    private static partial Regex Quoted();
}
