using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kohakku.ServiceDefaults;

/// <summary>Makes the bucket, if it is missing, as soon as the storage answers.</summary>
internal sealed partial class BucketCreation(ObjectStorage storage, TimeProvider time, ILogger<BucketCreation> logger) : BackgroundService
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var delay = FirstDelay; ; delay = delay * 2 < MaxDelay ? delay * 2 : MaxDelay)
        {
            try
            {
                await storage.EnsureBucketAsync(stoppingToken);
                return;
            }
            catch (ObjectStorageException exception)
            {
                LogAway(logger, exception.Message, delay.TotalSeconds);
            }
            await Task.Delay(delay, time, stoppingToken);
        }
    }

    [LoggerMessage(1120, LogLevel.Warning, "The bucket can't be looked for ({Message}); trying again in {Seconds:F1} s.")]
    private static partial void LogAway(ILogger logger, string message, double seconds);
}
