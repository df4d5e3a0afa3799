using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;

namespace Kohakku.Contracts.Tasks;

/// <summary>Where a task stands. Named state, not status, to stay apart from <see cref="System.Threading.Tasks.TaskStatus"/>.</summary>
[JsonConverter(typeof(WireEnumConverter<TaskState>))]
public enum TaskState
{
    /// <summary>Not due yet: <c>notBefore</c>, unfinished <c>needs</c>, or the backoff of a retry.</summary>
    Scheduled,
    /// <summary>Waits for a dispatcher to claim it.</summary>
    Queued,
    /// <summary>A dispatcher has claimed it.</summary>
    Running,
    /// <summary>Waits for a person's answer.</summary>
    Waiting,
    Succeeded,
    Failed,
    Canceled,
    TimedOut,
}

/// <summary>Where one execution of a task stands.</summary>
[JsonConverter(typeof(WireEnumConverter<AttemptState>))]
public enum AttemptState
{
    Claimed,
    Pulling,
    Starting,
    Running,
    Waiting,
    Succeeded,
    Failed,
    Canceled,
    TimedOut,
    /// <summary>Its dispatcher vanished: nobody can tell how it ended.</summary>
    Lost,
}

/// <summary>Why an attempt or a task did not succeed.</summary>
[JsonConverter(typeof(WireEnumConverter<FailureReason>))]
public enum FailureReason
{
    ImagePull,
    StartFailed,
    AgentExit,
    AgentError,
    OutOfMemory,
    Timeout,
    HeartbeatLost,
    DispatcherLost,
    BudgetExceeded,
    Canceled,
    InvalidResult,
    VerifyFailed,
}

/// <summary>What happens to a task when nobody can tell how its attempt ended.</summary>
[JsonConverter(typeof(WireEnumConverter<OnLost>))]
public enum OnLost
{
    /// <summary>Run it again.</summary>
    Retry,
    /// <summary>Hold it, <see cref="TaskState.Waiting"/>, and ask a person: for work that must not be done twice.</summary>
    Ask,
}

public static class States
{
    /// <summary>True when the task will not change again without a person's <c>retry</c>.</summary>
    public static bool IsFinal(this TaskState state) =>
        state is TaskState.Succeeded or TaskState.Failed or TaskState.Canceled or TaskState.TimedOut;

    /// <summary>True when the attempt has ended; its token opens nothing any more.</summary>
    public static bool IsEnded(this AttemptState state) =>
        state is AttemptState.Succeeded or AttemptState.Failed or AttemptState.Canceled or AttemptState.TimedOut or AttemptState.Lost;

    /// <summary>True for what the infrastructure broke: retried without counting against the task's <c>maxAttempts</c>.</summary>
    public static bool IsInfrastructure(this FailureReason reason) =>
        reason is FailureReason.ImagePull or FailureReason.StartFailed or FailureReason.HeartbeatLost or FailureReason.DispatcherLost;
}
