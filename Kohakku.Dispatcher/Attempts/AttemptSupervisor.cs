using System.Collections.Concurrent;
using System.Threading.Channels;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>
/// Starts attempts, <c>NUM_CONSUMERS</c> at a time, and follows each until its end is acknowledged and cleaned up. What goes wrong with
/// one attempt ends that one; the others don't notice.
/// </summary>
internal sealed partial class AttemptSupervisor(
    AttemptRunner runner, AttemptCleanup cleanup, DispatcherOptions options, ILogger<AttemptSupervisor> logger) : BackgroundService
{
    private readonly Channel<Attempt> waiting = Channel.CreateBounded<Attempt>(1000);
    private readonly ConcurrentDictionary<Guid, Task> running = new();

    /// <summary>Attempts that are not ended yet, or not cleaned up.</summary>
    public IReadOnlyCollection<Task> Running => [.. running.Values];

    /// <summary>Queues a claimed attempt, whose slot is taken, to be started.</summary>
    public ValueTask StartAsync(Attempt attempt, CancellationToken cancellationToken) => waiting.Writer.WriteAsync(attempt, cancellationToken);

    /// <summary>Ends an attempt that was never started, so that the controller queues it again.</summary>
    public void GiveBack(Attempt attempt, string why)
    {
        attempt.Apply(new AttemptInput.LaunchFailed(FailureReason.DispatcherLost, why, Transient: true));
        Watch(attempt, () => cleanup.WhenAcknowledgedAsync(attempt));
    }

    /// <summary>Follows what an earlier process has started; the slot is taken.</summary>
    public void Adopt(Attempt attempt, string runtimeId) => Watch(attempt, () => FollowAsync(attempt, runtimeId));

    /// <summary>Only removes what is left of an attempt that had ended before a restart, once the controller knows.</summary>
    public void CleanUp(Attempt attempt) => Watch(attempt, () => cleanup.WhenAcknowledgedAsync(attempt));

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, options.Consumers).Select(_ => ConsumeAsync(stoppingToken)));

    private async Task ConsumeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var attempt in waiting.Reader.ReadAllAsync(cancellationToken))
            {
                if (await runner.LaunchAsync(attempt) is { } runtimeId) Watch(attempt, () => FollowAsync(attempt, runtimeId));
                else Watch(attempt, () => cleanup.WhenAcknowledgedAsync(attempt));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The end of the process.
        }
    }

    private async Task FollowAsync(Attempt attempt, string runtimeId)
    {
        await runner.FollowAsync(attempt, runtimeId);
        await cleanup.WhenAcknowledgedAsync(attempt);
    }

    private void Watch(Attempt attempt, Func<Task> follow)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        running[attempt.Id] = ended.Task;
        _ = Task.Run(async () =>
        {
            try
            {
                await follow();
            }
#pragma warning disable CA1031 // One attempt's fault must not end the others; it stays in the table and is swept up after a restart.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                LogFailed(attempt.Id, fault);
            }
            running.TryRemove(attempt.Id, out _);
            ended.SetResult();
        });
    }

    [LoggerMessage(340, LogLevel.Error, "Following attempt {AttemptId} failed")]
    private partial void LogFailed(Guid attemptId, Exception fault);
}
