using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Schedules.Firing;
using Npgsql;

namespace Kohakku.Scheduler;

/// <summary>Fires schedules when they are due. It sleeps until the next of them, and looks each second besides: one may have been made or asked for meanwhile.</summary>
internal sealed class FireSchedules(DueSchedules due, PendingFirings pending, NpgsqlDataSource database, TimeProvider time, ILogger<FireSchedules> logger)
    : DispatchingLoop("the firing of schedules", time, logger)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private readonly TimeProvider _time = time;

    /// <summary>Answers how many schedules it moved on and how many firings it ended.</summary>
    public async Task<(int Schedules, int Firings)> RunOnceAsync(CancellationToken cancellationToken) =>
        (await due.RunOnceAsync(cancellationToken), await pending.RunOnceAsync(cancellationToken));

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        var (schedules, firings) = await RunOnceAsync(cancellationToken);
        if (schedules > 0 || firings > 0) return TimeSpan.Zero;
        await using var batch = database.CreateBatch();
        batch.Add(FiringSql.NextMoment);
        if (await batch.ExecuteScalarAsync(cancellationToken) is not DateTime next) return LongestPause;
        var pause = new DateTimeOffset(next, TimeSpan.Zero) - _time.GetUtcNow();
        // What is due but not to be had is in another scheduler's hand.
        return pause <= TimeSpan.Zero ? LongestPause : pause < LongestPause ? pause : LongestPause;
    }
}
