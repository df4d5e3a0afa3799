using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.States;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>Ends attempts whose lease ran out, so that a dead dispatcher loses nothing. Patient after an outage: see <see cref="OutageWatch"/>.</summary>
internal sealed partial class LeaseReaper(NpgsqlDataSource database, TaskChanges changes, TimeProvider time, ILogger<LeaseReaper> logger)
    : DispatchingLoop("the lease reaper", time, logger)
{
    private const int AtOnce = 500;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly OutageWatch outages = new(DispatchingTimes.Lease, longestGap: DispatchingTimes.Lease / 2);

    /// <summary>Answers how many attempts it ended; none while it is patient.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (!await MayReapAsync(cancellationToken)) return 0;
        return await ReapAsync(cancellationToken);
    }

    /// <summary>Ends what is lost, without patience.</summary>
    internal async Task<int> ReapAsync(CancellationToken cancellationToken)
    {
        Dictionary<Guid, bool> lost = [];
        await using (var command = database.CreateCommand(MaintenanceSql.LostTasks))
        {
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AtOnce });
            command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = DispatchingTimes.Lease });
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) lost[rows.GetGuid(0)] = rows.GetBoolean(1);
        }

        if (lost.Count == 0) return 0;
        var reaped = await changes.OfTasksAsync(
            lost.Keys, skipBusy: true,
            locked =>
            {
                var count = 0;
                foreach (var task in locked.Tasks)
                {
                    if (locked.CurrentAttempt(task) is not { LeaseExpired: true, Standing: { } attempt } || attempt.Status.IsEnded()) continue;
                    locked.Take(Lose(task, attempt, dispatcherHeard: lost[task.Id], locked.Moment));
                    count++;
                }

                return count;
            },
            cancellationToken);
        if (reaped > 0) LogReaped(reaped);
        return reaped;
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken) =>
        await RunOnceAsync(cancellationToken) == AtOnce ? TimeSpan.Zero : Pause;

    protected override void Failed() => outages.Failed();

    /// <summary>
    /// An order of which no event ever came and which its living dispatcher does not know was never started. Where the dispatcher is silent too, its
    /// events may only be stuck with it: that counts as never started as well, unless the task must not be done twice.
    /// </summary>
    private static Transition Lose(TaskStanding task, AttemptStanding attempt, bool dispatcherHeard, Moment moment)
    {
        var neverStarted = attempt.AppliedSequence == 0 && (dispatcherHeard || task.OnLost == OnLost.Retry);
        var message = neverStarted
            ? $"Dispatcher {attempt.DispatcherName} never started it."
            : dispatcherHeard
                ? $"Dispatcher {attempt.DispatcherName} no longer knows it."
                : $"Dispatcher {attempt.DispatcherName} was not heard for {DispatchingTimes.LeaseSeconds} seconds.";
        return AttemptMachine.Lose(task, attempt, neverStarted, message, moment);
    }

    private async Task<bool> MayReapAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(MaintenanceSql.Clock);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return outages.MayReap(row.GetFieldValue<DateTimeOffset>(0), row.GetFieldValue<DateTimeOffset>(1));
    }

    [LoggerMessage(3010, LogLevel.Warning, "{Count} attempts were lost: their dispatchers were not heard within the lease.")]
    private partial void LogReaped(int count);
}
