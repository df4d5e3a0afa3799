using System.Diagnostics;
using System.Text.Json.Nodes;
using Kohakku.Tests.EndToEnd;

namespace Kohakku.Tests.Deploy;

/// <summary>The settings that a service reads, as its program says itself: what a deployment sets beside these does nothing.</summary>
internal static class KnownSettings
{
    private static readonly Dictionary<string, string> Projects = new()
    {
        ["controller"] = "Kohakku.Controller",
        ["dispatcher"] = "Kohakku.Dispatcher",
        ["temporal-worker"] = "Kohakku.Workflows",
        ["scheduler"] = "Kohakku.Scheduler",
    };

    // …/bin/<configuration>/net10.0/
    public static string Configuration { get; } = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    public static IReadOnlyCollection<string> Services => Projects.Keys;

    private static readonly Dictionary<string, HashSet<string>> ByService = Projects.Keys.ToDictionary(
        service => service, service => JsonNode.Parse(Print(service, "--json").Output)!.AsArray().Select(setting => setting!["key"]!.GetValue<string>()).ToHashSet());

    public static IReadOnlySet<string> Of(string service) => ByService[service];

    public static IReadOnlySet<string> OfAny { get; } = ByService.Values.SelectMany(names => names).ToHashSet();

    /// <summary>What the service's program answers to <c>settings</c>, in an environment that is wrong: that must not matter.</summary>
    public static (int ExitCode, string Output, string Errors) Print(string service, params string[] arguments)
    {
        var project = Projects[service];
        var program = Path.Combine(SourceTree.RepositoryRoot, project, "bin", Configuration, "net10.0", $"{project}.dll");
        var start = new ProcessStartInfo("dotnet", [program, "settings", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        foreach (var name in (string[])["CONTROLLER_URL", "S3_ENDPOINT", "RUNTIME_BACKEND", "POSTGRES_PORT", "TEMPORAL_ADDRESS", "QUEUE_SOURCE"]) start.Environment[name] = "nonsense";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.GetAwaiter().GetResult());
    }
}
