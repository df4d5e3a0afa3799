using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Dispatcher;

internal static class TestOrders
{
    private static readonly Dictionary<string, string> None = [];

    public static AttemptOrder Inline() => Of(AgentMode.Inline);

    public static AttemptOrder Exec(
        int timeoutSeconds = 3600, int heartbeatTimeoutSeconds = 60, Dictionary<string, string>? secrets = null, string brief = "Do it.",
        IReadOnlyList<OrderedSkill>? skills = null) =>
        Of(AgentMode.Exec, timeoutSeconds, heartbeatTimeoutSeconds, secrets, brief, skills);

    private static AttemptOrder Of(
        AgentMode mode, int timeoutSeconds = 3600, int heartbeatTimeoutSeconds = 60, Dictionary<string, string>? secrets = null, string brief = "Do it.",
        IReadOnlyList<OrderedSkill>? skills = null) => new(
        Guid.CreateVersion7(), Guid.CreateVersion7(), 1, $"token-{Guid.NewGuid():N}", "A title",
        new OrderedAgent("test", mode, mode == AgentMode.Inline ? null : "test/image", ["true"], new Dictionary<string, string> { ["FROM_AGENT"] = "1", ["BOTH"] = "agent" },
            PullPolicy.Missing, new NetworkPolicy(), heartbeatTimeoutSeconds),
        new OrderedBrief(brief, null), null, skills ?? [], new Dictionary<string, string> { ["BOTH"] = "task" }, secrets ?? None, new ResourceLimits(), timeoutSeconds, null);
}
