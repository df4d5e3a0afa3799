using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Claiming;
using Kohakku.Dispatcher.Data;
using Kohakku.Dispatcher.Heartbeat;
using Kohakku.Dispatcher.Logs;
using Kohakku.Dispatcher.Reporting;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Sockets;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>
/// At start, takes over what an earlier process of this dispatcher left: agents that run are followed on, those that never started are
/// given back, ended ones are reported. Then, every 20 s, removes what the runtime has and the dispatcher does not know.
/// </summary>
internal sealed partial class Adoption(
    StoredAttempts stored, SecretSeal seal, Journal journal, Outbox outbox, AttemptTable attempts, AttemptSupervisor supervisor, AgentSlots slots,
    IAgentRuntime runtime, AttemptSockets sockets, AttemptLogs logs, DrainState drain, IHostApplicationLifetime lifetime, TimeProvider time,
    ILogger<Adoption> logger) : BackgroundService
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(20);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // Agents reach the dispatcher by its socket, which is linked anew once it listens.
            await WhenListeningAsync(stoppingToken);
            await AdoptAsync(stoppingToken);
            attempts.MarkComplete();
            drain.MarkReady();
            using var timer = new PeriodicTimer(SweepInterval, time);
            do await SweepAsync(stoppingToken);
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The end of the process.
        }
    }

    internal async Task AdoptAsync(CancellationToken cancellationToken)
    {
        var left = await stored.LoadAsync(cancellationToken);
        if (left.Count == 0) return;
        var found = await FindAsync(cancellationToken);
        var forgotten = new List<Guid>();
        foreach (var each in left)
        {
            if (Restore(each) is { } attempt) Adopt(attempt, found.GetValueOrDefault(attempt.Id));
            else forgotten.Add(each.Claimed.Id);
        }
        if (forgotten.Count > 0) await journal.Write(new JournalEntry { Forgotten = forgotten });
        LogAdopted(left.Count, slots.Used);
    }

    /// <returns>How many were removed.</returns>
    internal async Task<int> SweepAsync(CancellationToken cancellationToken)
    {
        var removed = 0;
        try
        {
            foreach (var agent in await runtime.ListAsync(cancellationToken))
            {
                if (attempts.Find(agent.AttemptId) is not null) continue;
                LogUnknown(agent.AttemptId, agent.RuntimeId);
                if (agent.RuntimeId is not null) await runtime.StopAsync(agent.AttemptId, agent.RuntimeId, TimeSpan.Zero, cancellationToken);
                await runtime.RemoveAsync(agent.AttemptId, cancellationToken);
                removed++;
            }
            foreach (var id in sockets.List().Where(id => attempts.Find(id) is null)) sockets.Remove(id);
            logs.RemoveUnknown(id => attempts.Find(id) is not null);
        }
#pragma warning disable CA1031 // An engine that is away: the next round comes.
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            LogSweepFailed(fault);
        }
        return removed;
    }

    private Attempt? Restore(StoredAttempt each)
    {
        // Inline attempts are written with their end and have no order: only their events are left to be sent.
        var order = each.Claimed.Order is { } json
            ? JsonSerializer.Deserialize(json, ContractsJson.Default.AttemptOrder)! with { Secrets = seal.Open(each.Claimed.Id, each.Claimed.Secrets) }
            : InlineOrder.Of(each.Claimed);
        var attempt = Attempt.Restore(order, each, journal, outbox, time);
        if (attempt.IsInline && attempt.Acknowledged.IsCompleted) return null;
        attempts.Add(attempt);
        outbox.Restore(attempt, each.AcknowledgedSequence, each.LastSequence);
        return attempt;
    }

    private void Adopt(Attempt attempt, FoundAgent? found)
    {
        if (attempt.IsInline) return;
        logs.Restore(attempt);
        if (attempt.Status.IsOver)
        {
            supervisor.CleanUp(attempt);
            return;
        }
        // The runtime knows better than the database: a start's answer may have been lost with the earlier process.
        if ((attempt.Status.RuntimeId ?? found?.RuntimeId) is not { } runtimeId)
        {
            supervisor.GiveBack(attempt, "Its dispatcher was restarted before it started.");
            return;
        }
        attempt.Apply(new AttemptInput.Started(runtimeId));
        if (sockets.List().Contains(attempt.Id)) sockets.Link(attempt.Id);
        slots.Take();
        supervisor.Adopt(attempt, runtimeId);
        LogFollowing(attempt.Id, runtimeId);
    }

    private async Task<Dictionary<Guid, FoundAgent>> FindAsync(CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));
        while (true)
        {
            try
            {
                return (await runtime.ListAsync(cancellationToken)).DistinctBy(agent => agent.AttemptId).ToDictionary(agent => agent.AttemptId);
            }
#pragma warning disable CA1031 // Nothing can be decided before the runtime answers.
            catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
            {
                LogSweepFailed(fault);
            }
            await Task.Delay(backoff.Next(), time, cancellationToken);
        }
    }

    private async Task WhenListeningAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(() => started.TrySetResult());
        await started.Task.WaitAsync(cancellationToken);
    }

    [LoggerMessage(400, LogLevel.Information, "Took over {Count} attempts of an earlier process, {Running} of them running")]
    private partial void LogAdopted(int count, int running);

    [LoggerMessage(401, LogLevel.Information, "Following attempt {AttemptId}, which runs as {RuntimeId}")]
    private partial void LogFollowing(Guid attemptId, string runtimeId);

    [LoggerMessage(402, LogLevel.Warning, "Removing {RuntimeId} of attempt {AttemptId}, which this dispatcher does not know")]
    private partial void LogUnknown(Guid attemptId, string? runtimeId);

    [LoggerMessage(403, LogLevel.Warning, "The runtime could not be asked what runs")]
    private partial void LogSweepFailed(Exception fault);
}
