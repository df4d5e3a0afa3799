using System.Text.RegularExpressions;
using Kohakku.Tests.EndToEnd;

namespace Kohakku.Tests.Deploy;

/// <summary>docs/operator-guide.md names metrics, messages, settings and pages that there are.</summary>
public sealed partial class OperatorGuideTests
{
    private static readonly string Guide = File.ReadAllText(Path.Combine(SourceTree.RepositoryRoot, "docs", "operator-guide.md"));
    private static readonly string[] Projects =
        ["Kohakku.Contracts", "Kohakku.Controller", "Kohakku.Dispatcher", "Kohakku.Workflows", "Kohakku.Scheduler", "Kohakku.ServiceDefaults"];

    private static readonly Lazy<string> Sources = new(() => string.Concat(Projects
        .SelectMany(project => Directory.EnumerateFiles(Path.Combine(SourceTree.RepositoryRoot, project), "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)).Select(File.ReadAllText)));

    [Fact]
    public void Its_metrics_are_those_of_the_code_and_none_is_left_out()
    {
        var instruments = Instrument().Matches(Sources.Value).Select(match => Exported(match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value)).ToHashSet();
        var table = Guide[Guide.IndexOf("| metric |", StringComparison.Ordinal)..Guide.IndexOf("### Alerts", StringComparison.Ordinal)];
        Assert.Equal(instruments.Order(StringComparer.Ordinal), Metric().Matches(table).Select(match => match.Value).Order(StringComparer.Ordinal));
        Assert.Empty(Metric().Matches(Guide).Select(match => match.Value).Except(instruments));
    }

    [Fact]
    public void Its_symptoms_are_the_words_of_the_code()
    {
        var section = Guide[Guide.IndexOf("## Troubleshooting", StringComparison.Ordinal)..Guide.IndexOf("## Security", StringComparison.Ordinal)];
        var symptoms = section.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(2).Select(line => line.Split('|')[1]);
        // What others say.
        var fragments = symptoms.SelectMany(symptom => Code().Matches(symptom)).Select(match => match.Groups[1].Value).Where(text => text != "too many clients already")
            .SelectMany(text => text.Split('…', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Where(text => text.Length > 5).Distinct().ToList();
        Assert.True(fragments.Count > 40);
        // A reason of a failure is a word of an enumeration, in the code with a capital.
        Assert.All(fragments, text => Assert.True(
            Sources.Value.Contains(text, StringComparison.Ordinal) || Sources.Value.Contains($" {char.ToUpperInvariant(text[0])}{text[1..]}", StringComparison.Ordinal), $"No service says '{text}'."));
    }

    [Fact]
    public void Its_settings_are_read_by_a_service()
    {
        // POSIX's and PostgreSQL's words in capitals have no underscore.
        var named = Setting().Matches(Guide).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.NotEmpty(named);
        Assert.Empty(named.Except(KnownSettings.OfAny).Except(["BASE_IMAGE"]));
    }

    [Fact]
    public void Its_links_lead_somewhere()
    {
        foreach (Match match in Link().Matches(Guide))
        {
            var (path, anchor) = (match.Groups[1].Value, match.Groups[2].Value);
            var text = Guide;
            if (path.Length > 0)
            {
                var file = Path.GetFullPath(Path.Combine(SourceTree.RepositoryRoot, "docs", path));
                Assert.True(File.Exists(file), $"{path} is not there.");
                text = File.ReadAllText(file);
            }
            if (anchor.Length > 0) Assert.Contains(anchor, Heading().Matches(text).Select(heading => Anchor(heading.Groups[1].Value)));
        }
    }

    // As OpenTelemetry's exporter for Prometheus has it: units become words, counters are totals.
    private static string Exported(string kind, string name, string unit) =>
        name.Replace('.', '_') + (unit == "s" ? "_seconds" : "") + (kind.Contains("Counter", StringComparison.Ordinal) ? "_total" : "");

    private static string Anchor(string heading) => NotInAnchor().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex("""Create(\w+)(?:<\w+>)?\(\s*"(kohakku\.[^"]+)".*?, "([^"]+)", """, RegexOptions.Singleline)]
    private static partial Regex Instrument();

    [GeneratedRegex(@"kohakku_[a-z_]*[a-z]")]
    private static partial Regex Metric();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b")]
    private static partial Regex Setting();

    [GeneratedRegex(@"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
