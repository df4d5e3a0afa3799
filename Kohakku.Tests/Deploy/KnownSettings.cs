using System.Text.RegularExpressions;
using Kohakku.Tests.EndToEnd;

namespace Kohakku.Tests.Deploy;

/// <summary>The settings that a service reads, as its sources name them: what a deployment sets beside these does nothing.</summary>
internal static partial class KnownSettings
{
    private static readonly Dictionary<string, string[]> Projects = new()
    {
        ["controller"] = ["Kohakku.Controller", "Kohakku.Workflows", "Kohakku.ServiceDefaults"],
        ["dispatcher"] = ["Kohakku.Dispatcher", "Kohakku.ServiceDefaults"],
        ["scheduler"] = ["Kohakku.Scheduler", "Kohakku.Controller", "Kohakku.Workflows", "Kohakku.ServiceDefaults"],
        ["temporal-worker"] = ["Kohakku.Workflows", "Kohakku.ServiceDefaults"],
    };

    // Read by ASP.NET Core itself.
    private static readonly string[] Framework = ["ASPNETCORE_URLS", "ASPNETCORE_ENVIRONMENT"];

    private static readonly Dictionary<string, HashSet<string>> ByService = Projects.ToDictionary(pair => pair.Key, pair => Scan(pair.Value));

    public static IReadOnlySet<string> Of(string service) => ByService[service];

    public static IReadOnlySet<string> OfAny { get; } = ByService.Values.SelectMany(names => names).ToHashSet();

    private static HashSet<string> Scan(string[] projects)
    {
        var names = new HashSet<string>(Framework, StringComparer.Ordinal);
        foreach (var file in projects.SelectMany(project => Directory.EnumerateFiles(Path.Combine(SourceTree.RepositoryRoot, project), "*.cs", SearchOption.AllDirectories)))
        {
            if (file.Contains("/obj/", StringComparison.Ordinal) || file.Contains("/bin/", StringComparison.Ordinal)) continue;
            var text = File.ReadAllText(file);
            names.UnionWith(Name().Matches(text).Select(match => match.Groups[1].Value));
            names.UnionWith(Database().Matches(text).Select(match => $"ConnectionStrings__{match.Groups[1].Value}"));
        }
        return names;
    }

    [GeneratedRegex("\"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\"")]
    private static partial Regex Name();

    [GeneratedRegex(@"AddPostgres\(""(\w+)""\)")]
    private static partial Regex Database();
}
