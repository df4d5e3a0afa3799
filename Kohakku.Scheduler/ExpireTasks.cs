using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Tasks.Lifetime;

namespace Kohakku.Scheduler;

/// <summary>Ends what was never claimed in time.</summary>
internal sealed class ExpireTasks(TaskExpiry expiry, TimeProvider time, ILogger<ExpireTasks> logger) : DispatchingLoop("the expiry of tasks", time, logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken) =>
        await expiry.RunOnceAsync(cancellationToken) == TaskExpiry.AtOnce ? TimeSpan.Zero : Pause;
}
