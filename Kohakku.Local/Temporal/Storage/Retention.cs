using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kohakku.Local.Temporal.Storage;

internal sealed class RetentionOptions
{
    /// <summary>How long a closed run can still be looked up.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "36500.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(7);
}

/// <summary>Deletes runs that were closed long ago.</summary>
internal sealed partial class Retention(RunStore runs, IOptions<RetentionOptions> options, TimeProvider time, ILogger<Retention> logger) : BackgroundService
{
    /// <summary>In one transaction: few enough that nobody who waits for one of its rows notices.</summary>
    private const int Batch = 100;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    /// <returns>How many runs were deleted.</returns>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - options.Value.Retention;
        var total = 0;
        int deleted;
        do
        {
            deleted = await runs.DeleteClosedBeforeAsync(before, Batch, cancellationToken);
            total += deleted;
        }
        while (deleted == Batch);
        return total;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        do
        {
            try
            {
                var deleted = await RunOnceAsync(stoppingToken);
                if (deleted > 0) LogDeleted(logger, deleted);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                LogFailed(logger, exception);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(4020, LogLevel.Debug, "Deleted {Count} runs whose retention was over.")]
    private static partial void LogDeleted(ILogger logger, int count);

    [LoggerMessage(4021, LogLevel.Warning, "Runs whose retention is over could not be deleted; they are tried again.")]
    private static partial void LogFailed(ILogger logger, Exception exception);
}
