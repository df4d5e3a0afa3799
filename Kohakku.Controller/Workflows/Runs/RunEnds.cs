using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>How the end of a task or a child run counts for the step that made it.</summary>
internal static class RunEnds
{
    public static StepState ToStep(RunState how) => how switch
    {
        RunState.Succeeded => StepState.Succeeded,
        RunState.Canceled => StepState.Canceled,
        RunState.TimedOut => StepState.TimedOut,
        _ => StepState.Failed,
    };
}

internal static class ApprovalWords
{
    public const string Approve = "approve";
    public const string Reject = "reject";
    public const string Kind = "approval";
}
