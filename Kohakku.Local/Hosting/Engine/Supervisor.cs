using System.ComponentModel;
using System.Diagnostics;
using Kohakku.Local.Hosting.Output;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Local.Hosting.Engine;

internal enum ServiceState
{
    Waiting,
    Starting,
    Healthy,
    Restarting,
    Done,
    Failed,
    Stopped,
}

/// <summary>
/// Keeps one service running: starts it, waits until it is healthy, starts it again when it ends by itself, and stops it
/// when told. <see cref="RunAsync"/> is the one loop that owns the process; the rest may be asked from any thread.
/// </summary>
internal sealed class Supervisor(Service service, SupervisorContext context) : IDisposable
{
    /// <summary>EX_CONFIG: the service has said what is wrong with its configuration; another start would say the same.</summary>
    public const int WrongConfiguration = 78;

    private static readonly TimeSpan FirstProbe = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan SlowestProbe = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PatienceWithLeftover = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PatienceWithoutWord = TimeSpan.FromSeconds(15);

    private readonly ResourceLog log = new(context.Data.Logs, service.Name);
    private readonly PidFile pidFile = new(context.Data.PidFileOf(service.Name));
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource healthy = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Backoff backoff = new();
    private volatile ServiceState state;

    public Service Service => service;
    public string Name => service.Name;
    public ServiceState State => state;
    public ResourceLog Log => log;

    /// <summary>Completes at the first start; fails when there will be none.</summary>
    public Task Started => started.Task;

    /// <summary>Completes when it is healthy for the first time, or done if it is a job; fails when it never will be.</summary>
    public Task Healthy => healthy.Task;

    /// <summary>The exit code of a job.</summary>
    public Task<int> Completed => completed.Task;

    /// <summary>The process it runs as now.</summary>
    public ProcessIdentity? Process { get; private set; }

    public int Restarts { get; private set; }

    /// <summary>Stops the process that a host which died has left of this service.</summary>
    public async Task StopLeftoverAsync(CancellationToken cancellationToken)
    {
        var patience = service.Grace < PatienceWithLeftover ? service.Grace : PatienceWithLeftover;
        if (await pidFile.StopLeftoverAsync(service.StopSignal, patience, cancellationToken))
        {
            context.Console.Note(Name, LineLevel.Information, "one left by an AppHost that died was stopped");
        }
    }

    /// <summary>Runs until <paramref name="stop"/>, or until there is no point in going on.</summary>
    /// <param name="kill">Ends the patience with a process that takes its time to stop.</param>
    public async Task RunAsync(IEnumerable<Task> dependencies, CancellationToken stop, CancellationToken kill)
    {
        try
        {
            await Task.WhenAll(dependencies).WaitAsync(stop);
            while (await RunOrWaitAsync(stop, kill) is { } delay)
            {
                state = ServiceState.Restarting;
                Restarts++;
                await Task.Delay(delay, context.Time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            state = ServiceState.Stopped;
        }
        catch (WrongConfigurationException fault)
        {
            // Those who wait for it must not hear anything else first.
            GiveUp(fault);
            throw;
        }
        catch (Exception fault) when (KeepsFromStarting(fault) || fault is DependencyFailedException)
        {
            if (fault is not DependencyFailedException) context.Console.Note(Name, LineLevel.Error, fault.Message);
            state = ServiceState.Failed;
            GiveUp(new DependencyFailedException($"{Name}: {fault.Message}", fault));
        }
        finally
        {
            GiveUp(new OperationCanceledException($"{Name} was stopped."));
        }
    }

    public void Dispose() => log.Dispose();

    private static bool KeepsFromStarting(Exception fault) => fault is InvalidOperationException or IOException or UnauthorizedAccessException or Win32Exception;

    /// <summary>What keeps a service from its first start is for whoever starts it to mend; what keeps one that ran from starting again may pass (a full disk).</summary>
    /// <returns>How long to wait before the next start; null when there is to be none.</returns>
    private async Task<TimeSpan?> RunOrWaitAsync(CancellationToken stop, CancellationToken kill)
    {
        try
        {
            return await RunOnceAsync(stop, kill);
        }
        catch (Exception fault) when (Healthy.IsCompletedSuccessfully && KeepsFromStarting(fault))
        {
            var delay = backoff.Next(TimeSpan.Zero);
            context.Console.Note(Name, LineLevel.Error, $"could not be started: {fault.Message}; trying again{In(delay)}");
            return delay;
        }
    }

    private async Task<TimeSpan?> RunOnceAsync(CancellationToken stop, CancellationToken kill)
    {
        state = ServiceState.Starting;
        log.Begin();
        await service.PrepareAsync(text => context.Console.Note(Name, LineLevel.Information, text), stop);
        var launch = await service.LaunchAsync(stop);
        var startedAt = context.Time.GetTimestamp();
        using var process = await context.Spawner.StartAsync(launch);
        var identity = ProcessIdentity.Of(process.Id);
        Process = identity;
        Remember(identity);
        process.StandardInput.Close();
        var pump = new OutputPump(Name, log, context.Console);
        var output = Task.WhenAll(pump.RunAsync(process.StandardOutput, service.OutputLevels()), pump.RunAsync(process.StandardError, service.ErrorLevels()));
        started.TrySetResult();

        using var ended = new CancellationTokenSource();
        var watch = service.RunsOnce ? Task.CompletedTask : BecomeHealthyAsync(startedAt, ended.Token);
        try
        {
            await process.WaitForExitAsync(stop);
        }
        catch (OperationCanceledException)
        {
            await StopAsync(process, kill);
        }
        await ended.CancelAsync();
        await watch;
        // What the process left in the pipes is worth a moment, children of its own that hold them are not.
        await Task.WhenAny(output, Task.Delay(TimeSpan.FromMilliseconds(500), context.Time, CancellationToken.None));
        Process = null;
        pidFile.Delete();
        stop.ThrowIfCancellationRequested();
        return Judge(process.ExitCode, context.Time.GetElapsedTime(startedAt));
    }

    private TimeSpan? Judge(int exitCode, TimeSpan ran)
    {
        if (service.RunsOnce)
        {
            state = exitCode == 0 ? ServiceState.Done : ServiceState.Failed;
            if (exitCode != 0) context.Console.Note(Name, LineLevel.Warning, $"ended with {exitCode}; its log is {log.Path}");
            completed.TrySetResult(exitCode);
            healthy.TrySetResult();
            return null;
        }
        if (exitCode == WrongConfiguration)
        {
            throw new WrongConfigurationException(Name, log.Tail());
        }
        var delay = backoff.Next(ran);
        context.Console.Note(Name, LineLevel.Warning, $"ended with {exitCode}; starting it again{In(delay)}");
        return delay;
    }

    private static string In(TimeSpan delay) => delay.TotalSeconds >= 1 ? $" in {delay.TotalSeconds:0.#} s" : "";

    /// <summary>A process that can't be remembered runs all the same: it ends with this host, unless that is killed in just the wrong moment.</summary>
    private void Remember(ProcessIdentity? identity)
    {
        try
        {
            if (identity is { } known) pidFile.Write(known);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            context.Console.Note(Name, LineLevel.Warning, $"its process can't be noted: {fault.Message}");
        }
    }

    private async Task BecomeHealthyAsync(long startedAt, CancellationToken ended)
    {
        var pause = FirstProbe;
        var saidSo = false;
        try
        {
            while (!await service.IsHealthyAsync(ended))
            {
                await Task.Delay(pause, context.Time, ended);
                if (context.Time.GetElapsedTime(startedAt) > TimeSpan.FromSeconds(3) && pause < SlowestProbe) pause *= 2;
                if (saidSo || context.Time.GetElapsedTime(startedAt) < PatienceWithoutWord) continue;
                saidSo = true;
                context.Console.Note(Name, LineLevel.Warning, $"is not healthy yet; its log is {log.Path}");
            }
            state = ServiceState.Healthy;
            if (saidSo || Restarts > 0) context.Console.Note(Name, LineLevel.Information, "is healthy");
            healthy.TrySetResult();
        }
        catch (OperationCanceledException)
        {
            // It has ended before it was healthy.
        }
        catch (InvalidOperationException fault)
        {
            context.Console.Note(Name, LineLevel.Error, fault.Message);
            GiveUp(new DependencyFailedException($"{Name}: {fault.Message}", fault));
        }
    }

    private async Task StopAsync(Process process, CancellationToken kill)
    {
        Signal(process, service.StopSignal);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(kill);
        patience.CancelAfter(service.Grace);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            if (!kill.IsCancellationRequested)
            {
                context.Console.Note(Name, LineLevel.Warning, $"did not end within {service.Grace.TotalSeconds:0} s; killed");
            }
            Signal(process, LibC.SigKill);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static void Signal(Process process, int signal)
    {
        if (!process.HasExited) _ = LibC.Kill(process.Id, signal);
    }

    private void GiveUp(Exception fault)
    {
        foreach (var waiting in (ReadOnlySpan<TaskCompletionSource>)[started, healthy])
        {
            waiting.TrySetException(fault);
            _ = waiting.Task.Exception; // Nobody need be waiting.
        }
        completed.TrySetException(fault);
        _ = completed.Task.Exception;
    }
}
