using System.Text.RegularExpressions;
using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Agents;

/// <summary>What an agent must be; every fault is named.</summary>
internal static partial class AgentRules
{
    public const string NameRule = "must be 1 to 63 of a-z, 0-9 and hyphens, beginning with a letter or digit";
    private const int MaxImageLength = 500;
    private const int MaxCommandParts = 200;
    private const int MaxCommandLength = 64 * 1024;
    private const string NotYet = "is not in this release";

    public static bool IsName(string name) => Name().IsMatch(name);

    public static void Check(string name, PutAgent agent, Faults faults)
    {
        if (!IsName(name)) faults.Add("name", NameRule);
        var mode = agent.Mode ?? AgentMode.Exec;
        if (mode is AgentMode.Acp or AgentMode.Protocol) faults.Add("mode", $"must be exec or inline; the others are not in this release");
        if (agent.Adapter is not null) faults.Add("adapter", NotYet);
        if (agent.Warm < 0) faults.Add("warm", "must be 0 or more");
        if (agent.Warm > 0) faults.Add("warm", $"above 0 {NotYet}");
        LimitRules.Range(agent.HeartbeatTimeoutSeconds, 5, 3600, "heartbeatTimeoutSeconds", faults);
        CheckImage(agent.Image, mode, faults);
        CheckCommand(agent.Command, mode, faults);
        EnvironmentRules.Check(agent.Env, "env", faults);
        LimitRules.Check(agent.Network, "network", faults);
        LimitRules.Check(agent.Resources, "resources", faults);
    }

    private static void CheckImage(string? image, AgentMode mode, Faults faults)
    {
        if (string.IsNullOrEmpty(image))
        {
            if (mode != AgentMode.Inline) faults.Add("image", "is required");
        }
        else if (image.Length > MaxImageLength || !Image().IsMatch(image))
            faults.Add("image", "must be an image reference, like debian:12 or registry.example/team/agent@sha256:…");
    }

    private static void CheckCommand(IReadOnlyList<string>? command, AgentMode mode, Faults faults)
    {
        if (command is null or { Count: 0 })
        {
            if (mode is AgentMode.Exec or AgentMode.Acp) faults.Add("command", "is required");
            return;
        }

        if (command.Count > MaxCommandParts) faults.Add("command", $"must have at most {MaxCommandParts} parts");
        if (string.IsNullOrWhiteSpace(command[0])) faults.Add("command[0]", "must name a program");
        if (command.Sum(part => part?.Length ?? 0) > MaxCommandLength) faults.Add("command", $"must be at most {MaxCommandLength} characters in all");
        for (var i = 0; i < Math.Min(command.Count, MaxCommandParts); i++)
        {
            if (command[i] is not { } part) faults.Add($"command[{i}]", "must be text");
            else if (TextRules.Prose(part) is { } rule) faults.Add($"command[{i}]", rule);
        }
    }

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,62}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();

    // host:port/path/name:tag@algorithm:digest, loosely: the engine has the last word, this keeps spaces and options out.
    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._\-/:]*(@[A-Za-z0-9+._-]+:[0-9a-fA-F]{32,})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Image();
}
