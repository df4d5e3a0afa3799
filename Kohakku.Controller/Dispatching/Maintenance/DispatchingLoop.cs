using System.Diagnostics;

namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>
/// A loop that does its work again and again; any number of controllers may run it at once. A round that fails is logged and the next one comes:
/// the database may be away. Only the loop's own fault ends the process.
/// </summary>
internal abstract partial class DispatchingLoop(string name, TimeProvider time, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    /// <summary>One round. Answers how long to wait at most for the next.</summary>
    protected abstract Task<TimeSpan> RoundAsync(CancellationToken cancellationToken);

    /// <summary>Waits for the next round: for the time, or for a signal that there is something to do.</summary>
    protected virtual Task PauseAsync(TimeSpan atMost, CancellationToken cancellationToken) => Task.Delay(atMost, time, cancellationToken);

    /// <summary>A round failed.</summary>
    protected virtual void Failed()
    {
    }

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                // Loops are not part of whatever trace happened to start them.
                Activity.Current = null;
                await PauseAsync(await RoundAsync(stoppingToken), stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                Failed();
                LogRoundFailed(logger, name, fault);
                await Task.Delay(AfterFailure, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(3001, LogLevel.Warning, "A round of {Loop} failed; it goes on.")]
    private static partial void LogRoundFailed(ILogger logger, string loop, Exception fault);
}
