using Kohakku.Dispatcher.Data;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Sockets;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher;

/// <summary>
/// Opens what everything else stands on, in this order, before any other service starts: the database with its lock (one process at a
/// time), the journal, the runtime, the agents' sockets. Ends last. Watches the lock: who loses it to another process must end.
/// </summary>
internal sealed partial class Startup(
    DispatcherDatabase database, Journal journal, IAgentRuntime runtime, AttemptSockets sockets, IHostApplicationLifetime lifetime,
    ILogger<Startup> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan JournalLimit = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource stop = new();
    private Task? watching;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await database.OpenAsync(cancellationToken);
            await runtime.InitializeAsync(cancellationToken);
            sockets.Prepare();
        }
        catch (Exception fault) when (fault is RuntimeUnavailableException or IOException)
        {
            throw new ConfigurationException(fault.Message, fault);
        }
        if (sockets.Root != sockets.Configured) LogSockets(sockets.Configured, sockets.Root);
        journal.Start();
        watching = WatchAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stop.CancelAsync();
        if (watching is not null) await watching;
        await journal.StopAsync(JournalLimit);
    }

    public void Dispose() => stop.Dispose();

    private async Task WatchAsync()
    {
        try
        {
            await database.KeepAsync(stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The end of the process.
        }
#pragma warning disable CA1031 // Whatever it was: without the lock this process must not go on.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            LogLockLost(fault);
            lifetime.StopApplication();
        }
    }

    [LoggerMessage(410, LogLevel.Critical, "This process has lost its database's lock and ends")]
    private partial void LogLockLost(Exception fault);

    [LoggerMessage(411, LogLevel.Warning, "Sockets in {Configured} would have paths that are too long: they are in {Root}")]
    private partial void LogSockets(string configured, string root);
}
