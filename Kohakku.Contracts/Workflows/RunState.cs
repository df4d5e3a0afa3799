using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;

namespace Kohakku.Contracts.Workflows;

/// <summary>Where a run of a workflow stands.</summary>
[JsonConverter(typeof(WireEnumConverter<RunState>))]
public enum RunState
{
    /// <summary>Written, but not begun: Temporal has yet to take it, or its concurrency key has no place.</summary>
    Pending,
    Running,
    /// <summary>Nothing new begins until a person resumes it; what runs goes on.</summary>
    Paused,
    Succeeded,
    Failed,
    Canceled,
    TimedOut,
}

/// <summary>Where a step of a run stands.</summary>
[JsonConverter(typeof(WireEnumConverter<StepState>))]
public enum StepState
{
    Pending,
    Running,
    /// <summary>Waits for a person, a signal or a time.</summary>
    Waiting,
    Succeeded,
    Failed,
    Skipped,
    Canceled,
    TimedOut,
}

public static class WorkflowStates
{
    /// <summary>True when the run will not change again.</summary>
    public static bool IsFinal(this RunState state) => state is RunState.Succeeded or RunState.Failed or RunState.Canceled or RunState.TimedOut;

    /// <summary>True when the step has ended.</summary>
    public static bool IsEnded(this StepState state) => state is not (StepState.Pending or StepState.Running or StepState.Waiting);

    /// <summary>True when the step ended otherwise than it should.</summary>
    public static bool IsFailure(this StepState state) => state is StepState.Failed or StepState.Canceled or StepState.TimedOut;
}
