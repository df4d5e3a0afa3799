using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.States;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>Puts delayed and backed-off tasks into the queue when they are due; sleeps until the next one is.</summary>
internal sealed class Promotion(
    NpgsqlDataSource database, TaskChanges changes, LoopSignals signals, TimeProvider time, ILogger<Promotion> logger)
    : DispatchingLoop("promotion", time, logger)
{
    private const int AtOnce = 500;

    // Tasks that another controller scheduled are seen by looking now and then.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(1);
    private readonly TimeProvider time = time;

    /// <summary>Answers how many it put into the queue.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        List<Guid> due = [];
        await using (var command = database.CreateCommand(MaintenanceSql.DueTasks))
        {
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AtOnce });
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) due.Add(rows.GetGuid(0));
        }

        if (due.Count == 0) return 0;
        return await changes.OfTasksAsync(
            due, skipBusy: true,
            locked =>
            {
                var promoted = 0;
                foreach (var task in locked.Tasks)
                {
                    if (TaskMachine.Promote(task, locked.Moment) is not { } transition) continue;
                    locked.Take(transition);
                    promoted++;
                }

                return promoted;
            },
            cancellationToken);
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        if (await RunOnceAsync(cancellationToken) == AtOnce) return TimeSpan.Zero;
        await using var command = database.CreateCommand(MaintenanceSql.NextDue);
        if (await command.ExecuteScalarAsync(cancellationToken) is not DateTime nextDue) return LongestPause;
        var pause = new DateTimeOffset(nextDue) - time.GetUtcNow();
        return pause < ShortestPause ? ShortestPause : pause > LongestPause ? LongestPause : pause;
    }

    protected override Task PauseAsync(TimeSpan atMost, CancellationToken cancellationToken) =>
        signals.Promotion.WaitAsync(atMost, time, cancellationToken);
}
