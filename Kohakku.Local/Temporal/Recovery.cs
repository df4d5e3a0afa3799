using Grpc.Core;
using Kohakku.Local.Temporal.Effects;
using Kohakku.Local.Temporal.Matching;
using Kohakku.Local.Temporal.Rpc;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Timers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kohakku.Local.Temporal;

/// <summary>
/// Sets up what lives in memory from what is stored, before anyone is served: the tasks on offer, the times that are due, what runs owe each
/// other. And lets go, from time to time, of what is no longer used.
/// </summary>
internal sealed partial class Recovery(
    RunHost host, TaskQueues queues, TimerQueue timers, EffectRunner effects, NamespaceCalls namespaces, TemporalServerOptions options, TimeProvider time,
    ILogger<Recovery> logger) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(15);
    private ITimer? sweep;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var name in options.Namespaces) await namespaces.EnsureAsync(name, cancellationToken);
        host.Dispatch = effects.Enqueue;
        timers.Fire = FireAsync;
        var count = 0;
        await foreach (var run in host.Store.OpenRunsAsync(cancellationToken))
        {
            host.Recover(run);
            count++;
        }
        var owed = await host.Store.EffectsAsync(cancellationToken);
        foreach (var effect in owed) effects.Enqueue(Effect.FromRow(effect));
        LogRecovered(count, owed.Count);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        sweep = time.CreateTimer(_ => Sweep(), null, SweepInterval, SweepInterval);
        return Task.CompletedTask;
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Workers that wait are sent away, so that the stop need not wait for them.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        queues.EndPolls();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => sweep?.Dispose();

    private async Task FireAsync(RunKey run, CancellationToken cancellationToken)
    {
        try
        {
            await host.ChangeAsync(run, change => RunTimers.FireAsync(change, change.Run.Updates.TakeBack), static _ => ValueTask.FromResult(true), cancellationToken);
        }
        catch (RpcException fault) when (fault.StatusCode == StatusCode.NotFound)
        {
            // It was deleted.
        }
    }

    private void Sweep()
    {
        host.Sweep();
        queues.Sweep();
    }

    [LoggerMessage(3401, LogLevel.Information, "Serving; {Runs} runs are open, {Owed} effects are to be done.")]
    private partial void LogRecovered(int runs, int owed);
}
