using System.Diagnostics;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Claiming;
using Kohakku.Dispatcher.Logs;
using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>Takes one attempt through its life on the runtime, and holds its slot while it is on it.</summary>
internal sealed partial class AttemptRunner(
    IAgentRuntime runtime, AttemptLogs logs, AgentSlots slots, DispatcherOptions options, DispatcherMetrics metrics, TimeProvider time,
    ILogger<AttemptRunner> logger)
{
    // Above the runner's own grace period, so that it can see the agent out and upload the end of its log.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(14);
    private static readonly TimeSpan StopAgainAfter = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RuntimeAwayLimit = TimeSpan.FromMinutes(1);

    /// <summary>Prepares and starts it.</summary>
    /// <returns>The runtime's id of it; null when it ended without having started, its slot free again.</returns>
    public async Task<string?> LaunchAsync(Attempt attempt)
    {
        using var span = DispatcherMetrics.Source.StartActivity("attempt.start", ActivityKind.Consumer, attempt.Order.TraceParent);
        span?.SetTag("kohakku.task.id", attempt.Order.TaskId).SetTag("kohakku.attempt.id", attempt.Id).SetTag("kohakku.agent", attempt.Order.Agent.Name);
        var traceParent = span?.Id ?? attempt.Order.TraceParent;
        var launch = new AgentLaunch(attempt.Id, attempt.Order.TaskId, attempt.Order.Agent, attempt.Order.Resources, attempt.Order.Token, options.Url, traceParent);
        try
        {
            var started = time.GetTimestamp();
            await runtime.PrepareAsync(launch, new PullReport(attempt), attempt.Stopping);
            attempt.Apply(new AttemptInput.StartBegun());
            attempt.Stopping.ThrowIfCancellationRequested();
            var runtimeId = await runtime.StartAsync(launch, CancellationToken.None);
            attempt.RestartSilence();
            attempt.Apply(new AttemptInput.Started(runtimeId));
            metrics.Started(time.GetElapsedTime(started));
            return runtimeId;
        }
        catch (OperationCanceledException) when (attempt.Stopping.IsCancellationRequested)
        {
            End(attempt, new AttemptInput.LaunchFailed(FailureReason.StartFailed, "It was stopped before it started.", Transient: true));
        }
        catch (LaunchException fault)
        {
            LogNotStarted(attempt.Id, fault.Message);
            End(attempt, new AttemptInput.LaunchFailed(fault.Reason, attempt.Redactor.Text(fault.Message), fault.Transient));
        }
#pragma warning disable CA1031 // Whatever a runtime throws ends this attempt alone, and is said.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogLaunchFault(attempt.Id, fault);
            End(attempt, new AttemptInput.LaunchFailed(
                FailureReason.StartFailed, attempt.Redactor.Text($"The runtime could not start it: {fault.Message}"), Transient: true));
        }
        span?.SetStatus(ActivityStatusCode.Error);
        return null;
    }

    /// <summary>Waits for its end, stopping it when that is ordered, its time is up or it falls silent; returns when the end is durable.</summary>
    public async Task FollowAsync(Attempt attempt, string runtimeId)
    {
        var exit = await WaitAsync(attempt, runtimeId);
        var tail = await logs.CompleteAsync(attempt, exit.LogTail);
        attempt.Apply(new AttemptInput.Exited(exit with { LogTail = attempt.Redactor.Text(exit.LogTail) }, attempt.WasAlive, tail), out var durable);
        slots.Release();
        metrics.Ended(attempt.Status);
        LogEnded(attempt.Id, attempt.Status.End?.Status, attempt.Status.End?.Reason, attempt.Status.End?.Message);
        await durable;
    }

    private void End(Attempt attempt, AttemptInput.LaunchFailed failed)
    {
        attempt.Apply(failed);
        slots.Release();
        metrics.Ended(attempt.Status);
    }

    private async Task<RuntimeExit> WaitAsync(Attempt attempt, string runtimeId)
    {
        var exit = WaitRuntimeAsync(attempt, runtimeId);
        while (!attempt.Stopping.IsCancellationRequested)
        {
            if (await exit.WithinAsync(UntilNextCheck(attempt), time, attempt.Stopping)) return await exit;
            if (attempt.Deadline is { } deadline && deadline <= time.GetUtcNow())
                attempt.Apply(new AttemptInput.StopOrdered(StopCause.Timeout, $"It ran longer than its timeout of {attempt.Order.TimeoutSeconds} s."));
            else if (attempt.Silence >= attempt.HeartbeatTimeout)
                attempt.Apply(new AttemptInput.StopOrdered(StopCause.HeartbeatLost, $"The agent gave no sign of life for {attempt.Order.Agent.HeartbeatTimeoutSeconds} s."));
            if (attempt.Status.Stop is not null) break;
        }
        LogStopping(attempt.Id, attempt.Status.Stop);
        // What can't be stopped (an engine that is away) is stopped again until it is gone.
        do await StopOnceAsync(attempt, runtimeId);
        while (!await exit.WithinAsync(StopAgainAfter, time));
        return await exit;
    }

    private TimeSpan UntilNextCheck(Attempt attempt)
    {
        var silent = attempt.HeartbeatTimeout - attempt.Silence;
        var late = attempt.Deadline is { } deadline ? deadline - time.GetUtcNow() : silent;
        // Timers may fire a moment early, and take at most about 49 days.
        return TimeSpan.FromMilliseconds(Math.Clamp(Math.Min(silent.TotalMilliseconds, late.TotalMilliseconds), 5, 3_600_000));
    }

    private async Task StopOnceAsync(Attempt attempt, string runtimeId)
    {
        try
        {
            await runtime.StopAsync(attempt.Id, runtimeId, attempt.Status.Stop == StopCause.Fenced ? TimeSpan.Zero : Grace, CancellationToken.None);
        }
#pragma warning disable CA1031 // The engine may be away: tried again by the caller.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogNotStopped(attempt.Id, fault);
        }
    }

    private async Task<RuntimeExit> WaitRuntimeAsync(Attempt attempt, string runtimeId)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));
        var away = 0L;
        while (true)
        {
            try
            {
                return await runtime.WaitAsync(attempt.Id, runtimeId, CancellationToken.None);
            }
#pragma warning disable CA1031 // An engine that restarts comes back, and its containers may still run.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                if (away == 0) away = time.GetTimestamp();
                LogNotFollowed(attempt.Id, fault);
                if (time.GetElapsedTime(away) > RuntimeAwayLimit)
                    return new RuntimeExit(null, false, $"The runtime could not be asked any more: {fault.Message}\n");
            }
            await Task.Delay(backoff.Next(), time, CancellationToken.None);
        }
    }

    /// <summary>The first percentage makes the attempt Pulling: where nothing is pulled, none comes.</summary>
    private sealed class PullReport(Attempt attempt) : IProgress<int>
    {
        private int last = -1;

        public void Report(int value)
        {
            // Steps of ten are enough for a person, and spare the outbox.
            if (value < 100 && value < last + 10 && last >= 0) return;
            if (value == last) return;
            last = value;
            attempt.Apply(new AttemptInput.PullProgress(attempt.Order.Agent.Image ?? "", Math.Clamp(value, 0, 100)));
        }
    }

    [LoggerMessage(350, LogLevel.Warning, "Attempt {AttemptId} was not started: {Fault}")]
    private partial void LogNotStarted(Guid attemptId, string fault);

    [LoggerMessage(351, LogLevel.Error, "Attempt {AttemptId} was not started")]
    private partial void LogLaunchFault(Guid attemptId, Exception fault);

    [LoggerMessage(352, LogLevel.Information, "Attempt {AttemptId} ended: {State} {Reason} {Message}")]
    private partial void LogEnded(Guid attemptId, AttemptState? state, FailureReason? reason, string? message);

    [LoggerMessage(353, LogLevel.Information, "Stopping attempt {AttemptId}: {Cause}")]
    private partial void LogStopping(Guid attemptId, StopCause? cause);

    [LoggerMessage(354, LogLevel.Warning, "Attempt {AttemptId} could not be stopped yet")]
    private partial void LogNotStopped(Guid attemptId, Exception fault);

    [LoggerMessage(355, LogLevel.Warning, "Attempt {AttemptId} can't be followed at the moment")]
    private partial void LogNotFollowed(Guid attemptId, Exception fault);
}
