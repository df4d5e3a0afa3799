using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Tasks.Lifetime;

namespace Kohakku.Scheduler;

/// <summary>Takes away finished work that is older than <c>RETENTION_DAYS</c>, a little at a time.</summary>
internal sealed partial class RemoveOldWork(Retention retention, TimeProvider time, ILogger<RemoveOldWork> logger) : DispatchingLoop("retention", time, logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);
    private readonly ILogger _logger = logger;

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        var removed = await retention.RunOnceAsync(cancellationToken);
        if (!removed.Any) return Pause;
        LogRemoved(_logger, removed.Tasks, removed.Objects, removed.Runs, removed.Firings, removed.Deliveries);
        return TimeSpan.Zero;
    }

    [LoggerMessage(3901, LogLevel.Information, "Old work was taken away: {Tasks} tasks with {Objects} objects, {Runs} runs, {Firings} firings, {Deliveries} deliveries of webhooks.")]
    private static partial void LogRemoved(ILogger logger, int tasks, int objects, int runs, int firings, int deliveries);
}
