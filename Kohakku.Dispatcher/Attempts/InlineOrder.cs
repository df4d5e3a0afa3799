using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Data;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>Stands in for the order of an inline attempt after a restart, which was not kept: nothing is done with it any more.</summary>
internal static class InlineOrder
{
    private static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    public static AttemptOrder Of(ClaimedRow claimed) => new(
        claimed.TaskId, claimed.Id, 0, "", "", new OrderedAgent("", AgentMode.Inline, null, [], None, PullPolicy.Never, new NetworkPolicy(), 60),
        new OrderedBrief("", null), null, [], None, None, new ResourceLimits(), 0, null);
}
