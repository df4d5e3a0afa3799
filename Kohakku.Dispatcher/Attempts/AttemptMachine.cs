using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>Where an attempt stands in this dispatcher. docs/states.md has the diagram.</summary>
internal enum AttemptPhase
{
    Claimed,
    Pulling,
    Starting,
    Running,
    /// <summary>Its <c>ended</c> event is made; what is left is to report it and to clean up.</summary>
    Ended,
    /// <summary>The controller has given it to somebody else, or ended it: nothing of it is reported any more.</summary>
    Dropped,
}

/// <summary>Why an attempt is being stopped.</summary>
internal enum StopCause { Canceled, Timeout, HeartbeatLost, Shutdown, Fenced }

/// <summary>All that decides what may happen next; changed by <see cref="AttemptMachine.Apply"/> alone.</summary>
/// <param name="Stop">The first cause counts, but for <see cref="StopCause.Fenced"/>, which overrides all.</param>
/// <param name="Result">What the agent posted before any stop; the first one counts.</param>
/// <param name="AfterStop">What was posted while it was being stopped: how the agent then ended, but not why.</param>
internal sealed record AttemptStatus(
    AttemptPhase Phase, string? RuntimeId = null, StopCause? Stop = null, string? StopReason = null, AgentResult? Result = null, AgentResult? AfterStop = null,
    EndedData? End = null)
{
    public static readonly AttemptStatus New = new(AttemptPhase.Claimed);

    public bool IsOver => Phase is AttemptPhase.Ended or AttemptPhase.Dropped;

    /// <summary>True while the agent's token opens something: also in the grace period of a stop, when it tidies up and delivers what it has.</summary>
    public bool IsOpen => !IsOver && Stop is not StopCause.Fenced;
}

/// <summary>Something that happened to an attempt.</summary>
internal abstract record AttemptInput
{
    internal sealed record PullProgress(string Image, int Percent) : AttemptInput;

    internal sealed record StartBegun : AttemptInput;

    internal sealed record Started(string RuntimeId) : AttemptInput;

    /// <summary>The agent reported something: an event of its own making that changes no phase.</summary>
    internal sealed record Reported(string Type, JsonElement Data) : AttemptInput;

    internal sealed record ResultPosted(AgentResult Result) : AttemptInput;

    internal sealed record StopOrdered(StopCause Cause, string? Reason = null) : AttemptInput;

    /// <summary>It could not be started, or was never started.</summary>
    internal sealed record LaunchFailed(FailureReason Reason, string Message, bool Transient, string? LogTail = null) : AttemptInput;

    /// <summary>What the runtime started has ended.</summary>
    /// <param name="WasAlive">The runner has called the dispatcher at least once.</param>
    internal sealed record Exited(RuntimeExit Exit, bool WasAlive, string? LogTail) : AttemptInput;
}

/// <param name="Accepted">False: the input came too late or does not fit, and nothing has changed.</param>
/// <param name="Event">What the controller is to hear, if anything.</param>
internal sealed record AttemptStep(AttemptStatus Status, bool Accepted, AttemptEmission? Event = null);

internal sealed record AttemptEmission(string Type, object? Data);

/// <summary>
/// The life of one attempt as a pure function: <c>Claimed → Pulling → Starting → Running → Ended</c>, and from anywhere to
/// <c>Dropped</c>. Whatever happens in whatever order, at most one <c>ended</c> is emitted and nothing after it.
/// </summary>
internal static class AttemptMachine
{
    public static AttemptStep Apply(AttemptStatus status, AttemptInput input)
    {
        if (status.IsOver) return Refused(status);
        return input switch
        {
            AttemptInput.PullProgress pull when status.Stop is null && status.Phase is AttemptPhase.Claimed or AttemptPhase.Pulling =>
                Accepted(status with { Phase = AttemptPhase.Pulling }, AttemptEventTypes.Pulling, new PullingData(pull.Image, pull.Percent)),
            AttemptInput.StartBegun when status.Stop is null && status.Phase is AttemptPhase.Claimed or AttemptPhase.Pulling =>
                Accepted(status with { Phase = AttemptPhase.Starting }, AttemptEventTypes.Starting, null),
            // Also when a stop was ordered meanwhile: what is started must be known, to be stopped.
            AttemptInput.Started started when status.Phase is not AttemptPhase.Running =>
                Accepted(status with { Phase = AttemptPhase.Running, RuntimeId = started.RuntimeId }, AttemptEventTypes.Running, new RunningData(started.RuntimeId)),
            // Nobody would wait for the answer.
            AttemptInput.Reported { Type: AttemptEventTypes.Question } when status.Stop is not null => Refused(status),
            AttemptInput.Reported reported when status.IsOpen => Accepted(status, reported.Type, reported.Data),
            AttemptInput.ResultPosted posted when status.IsOpen => Accepted(status.Stop is null
                ? status with { Result = Merge(status.Result, posted.Result) }
                : status with { AfterStop = Merge(status.AfterStop, posted.Result) }),
            AttemptInput.StopOrdered stop => Stop(status, stop),
            AttemptInput.LaunchFailed failed when status.Phase is not AttemptPhase.Running => End(status, AttemptEnding.OfLaunch(status, failed)),
            AttemptInput.Exited exited when status.Phase is AttemptPhase.Running => End(status, AttemptEnding.OfExit(status, exited)),
            _ => Refused(status),
        };
    }

    private static AttemptStep Stop(AttemptStatus status, AttemptInput.StopOrdered stop)
    {
        if (stop.Cause == StopCause.Fenced ? status.Stop == StopCause.Fenced : status.Stop is not null) return Refused(status);
        return Accepted(status with { Stop = stop.Cause, StopReason = stop.Reason });
    }

    // Fenced: the controller does not want to hear of it.
    private static AttemptStep End(AttemptStatus status, EndedData end) => status.Stop == StopCause.Fenced
        ? Accepted(status with { Phase = AttemptPhase.Dropped })
        : Accepted(status with { Phase = AttemptPhase.Ended, End = end }, AttemptEventTypes.Ended, end);

    /// <summary>The first result counts; only the exit code, which the runner alone knows, is taken from a later one.</summary>
    private static AgentResult Merge(AgentResult? first, AgentResult posted) => first is null
        ? posted
        : first with { ExitCode = first.ExitCode ?? posted.ExitCode };

    private static AttemptStep Accepted(AttemptStatus status, string? type = null, object? data = null) =>
        new(status, true, type is null ? null : new AttemptEmission(type, data));

    private static AttemptStep Refused(AttemptStatus status) => new(status, false);
}
