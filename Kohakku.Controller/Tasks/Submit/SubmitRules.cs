using System.Text;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>What a submitted task must be, as far as it can be told without the database. One rule book per concern; every fault is named.</summary>
internal static class SubmitRules
{
    public const int MaxBriefBytes = 1024 * 1024;

    /// <summary>Answered 413, not 422: it is the size of the request that is wrong.</summary>
    public static bool IsBriefTooLarge(SubmitTask task) =>
        // No character takes more than three bytes per UTF-16 unit: most briefs need no counting.
        task.Brief is { Length: > MaxBriefBytes / 3 } brief && Encoding.UTF8.GetByteCount(brief) > MaxBriefBytes;

    /// <param name="prefix">Where the task stands in the body: empty, or <c>tasks[3].</c> with its dot.</param>
    public static void Check(SubmitTask task, string prefix, DateTimeOffset now, Faults faults)
    {
        ContentRules.Check(task, prefix, faults);
        PlacementRules.Check(task, prefix, faults);
        CourseRules.Check(task, prefix, now, faults);
        EnvironmentRules.Check(task.Env, $"{prefix}env", faults);
        LimitRules.Check(task.Resources, $"{prefix}resources", faults);
        LimitRules.Check(task.Network, $"{prefix}network", faults);
        ReleaseRules.Check(task, prefix, faults);
    }
}
