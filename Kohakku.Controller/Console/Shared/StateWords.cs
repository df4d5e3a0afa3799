using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;

namespace Kohakku.Controller.Console.Shared;

/// <summary>States and reasons in words for a person.</summary>
internal static class StateWords
{
    public static string Of(TaskState state) => state is TaskState.TimedOut ? "Timed out" : state.ToString();

    public static string Of(AttemptState state) => state is AttemptState.TimedOut ? "Timed out" : state.ToString();

    public static string Of(DispatcherState state) => state.ToString();

    public static string Of(RunState state) => state is RunState.TimedOut ? "Timed out" : state.ToString();

    public static string Of(StepState state) => state is StepState.TimedOut ? "Timed out" : state.ToString();

    public static string Of(FailureReason reason) => reason switch
    {
        FailureReason.ImagePull => "The image could not be pulled",
        FailureReason.StartFailed => "The agent could not be started",
        FailureReason.AgentExit => "The agent exited with an error",
        FailureReason.AgentError => "The agent reported an error",
        FailureReason.OutOfMemory => "Out of memory",
        FailureReason.Timeout => "The time was up",
        FailureReason.HeartbeatLost => "The agent fell silent",
        FailureReason.DispatcherLost => "The dispatcher vanished",
        FailureReason.BudgetExceeded => "The budget was used up",
        FailureReason.Canceled => "Canceled",
        FailureReason.InvalidResult => "The result could not be read",
        FailureReason.VerifyFailed => "The checks after the agent failed",
        _ => WireEnum<FailureReason>.NameOf(reason),
    };

    /// <summary>The style class of a state's chip.</summary>
    public static string Tone(TaskState state) => state switch
    {
        TaskState.Succeeded => "good",
        TaskState.Failed => "bad",
        TaskState.TimedOut => "bad",
        TaskState.Running => "live",
        TaskState.Waiting => "wait",
        TaskState.Queued => "soon",
        _ => "calm",
    };

    public static string Tone(AttemptState state) => state switch
    {
        AttemptState.Succeeded => "good",
        AttemptState.Failed or AttemptState.TimedOut or AttemptState.Lost => "bad",
        AttemptState.Waiting => "wait",
        AttemptState.Canceled => "calm",
        _ => "live",
    };

    public static string Tone(DispatcherState state) => state switch
    {
        DispatcherState.Online => "good",
        DispatcherState.Draining => "wait",
        DispatcherState.Unreachable => "bad",
        _ => "calm",
    };

    public static string Tone(RunState state) => state switch
    {
        RunState.Succeeded => "good",
        RunState.Failed or RunState.TimedOut => "bad",
        RunState.Running => "live",
        RunState.Paused => "wait",
        RunState.Pending => "soon",
        _ => "calm",
    };

    public static string Tone(StepState state) => state switch
    {
        StepState.Succeeded => "good",
        StepState.Failed or StepState.TimedOut => "bad",
        StepState.Running => "live",
        StepState.Waiting => "wait",
        _ => "calm",
    };

    public static string Size(long bytes) => bytes switch
    {
        < 1024 => $"{bytes} B",
        < 1024 * 1024 => $"{bytes / 1024.0:0.#} KiB",
        < 1024 * 1024 * 1024 => $"{bytes / 1024.0 / 1024:0.#} MiB",
        _ => $"{bytes / 1024.0 / 1024 / 1024:0.##} GiB",
    };
}
