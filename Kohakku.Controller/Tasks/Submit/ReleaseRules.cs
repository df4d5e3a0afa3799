using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>What the interface has and this release has not: refused by name, since taking it and not doing it would be worse.</summary>
internal static class ReleaseRules
{
    private const string NotYet = "is not in this release";

    public static void Check(SubmitTask task, string prefix, Faults faults)
    {
        if (task.Verify is { Count: > 0 }) faults.Add($"{prefix}verify", NotYet);
        if (task.Workspace is not null) faults.Add($"{prefix}workspace", NotYet);
        if (task.Secrets is { Count: > 0 }) faults.Add($"{prefix}secrets", NotYet);
    }
}
