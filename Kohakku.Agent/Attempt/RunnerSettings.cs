using System.Globalization;
using Kohakku.Agent.Workspace;
using Kohakku.Contracts.AgentProtocol;

namespace Kohakku.Agent.Attempt;

/// <summary>What the runner takes from its environment, checked.</summary>
internal sealed record RunnerSettings
{
    public const string ExitFileKey = "KOHAKKU_EXIT_FILE";
    public const string RunAsKey = "KOHAKKU_RUN_AS";
    public const string WorkspaceLimitKey = "KOHAKKU_WORKSPACE_LIMIT_MB";
    public const string GraceKey = "KOHAKKU_GRACE_SECONDS";

    /// <summary>The runner's own; the agent does not see them.</summary>
    public static IReadOnlyList<string> PrivateKeys { get; } = [AgentEnvironment.Socket, ExitFileKey, RunAsKey, WorkspaceLimitKey, GraceKey];

    public required string Token { get; init; }
    /// <summary>The dispatcher's Unix socket; null when it is reached at <see cref="Url"/>.</summary>
    public string? Socket { get; init; }
    public required Uri Url { get; init; }
    public string Workspace { get; init; } = "/workspace";
    public string? ExitFile { get; init; }
    /// <summary>Who the agent runs as and who owns the workspace; null for the runner's own user.</summary>
    public RunAs? RunAs { get; init; }
    public long WorkspaceLimitBytes { get; init; } = 10240L * 1024 * 1024;
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>W3C trace context, sent with every call so that one task stays one trace.</summary>
    public string? TraceParent { get; init; }

    /// <exception cref="RunnerFault">A key is missing or wrong; the message names all of them.</exception>
    public static RunnerSettings Read(Func<string, string?> environment)
    {
        var faults = new List<string>();
        string? Text(string key) => environment(key) is { Length: > 0 } value ? value : null;

        int Number(string key, int fallback, int min, int max)
        {
            if (Text(key) is not { } text) return fallback;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max) return number;
            faults.Add($"{key} is '{text}'; it takes a whole number from {min} to {max}.");
            return fallback;
        }

        var token = Text(AgentEnvironment.Token);
        if (token is null) faults.Add($"{AgentEnvironment.Token} is not set: the dispatcher starts the runner, with an attempt's token.");
        var socket = Text(AgentEnvironment.Socket);
        var address = Text(AgentEnvironment.Url);
        // Over a socket the host's name means nothing, but HTTP wants one.
        var url = new Uri("http://localhost");
        if (socket is null && (!Uri.TryCreate(address, UriKind.Absolute, out url) || url.Scheme != Uri.UriSchemeHttp))
        {
            faults.Add($"{AgentEnvironment.Url} is '{address}'; it takes http://host:port, unless {AgentEnvironment.Socket} names a socket.");
        }
        RunAs? runAs = null;
        if (Text(RunAsKey) is { } user && !RunAs.TryParse(user, out runAs)) faults.Add($"{RunAsKey} is '{user}'; it takes uid:gid, as in 1000:1000.");
        var workspace = Text(AgentEnvironment.Workspace) ?? "/workspace";
        if (!Path.IsPathRooted(workspace)) faults.Add($"{AgentEnvironment.Workspace} is '{workspace}'; it takes an absolute path.");
        var settings = new RunnerSettings
        {
            Token = token ?? "",
            Socket = socket,
            Url = url ?? new Uri("http://localhost"),
            Workspace = Path.TrimEndingDirectorySeparator(workspace),
            ExitFile = Text(ExitFileKey),
            RunAs = runAs,
            WorkspaceLimitBytes = Number(WorkspaceLimitKey, 10240, 1, int.MaxValue) * 1024L * 1024,
            Grace = TimeSpan.FromSeconds(Number(GraceKey, 10, 0, 3600)),
            TraceParent = Text(AgentEnvironment.TraceParent),
        };
        return faults.Count == 0 ? settings : throw new RunnerFault(string.Join(' ', faults));
    }
}
