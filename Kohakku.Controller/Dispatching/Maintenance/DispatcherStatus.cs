using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>Notes which dispatchers fell silent, and for how long.</summary>
internal sealed partial class DispatcherStatus(NpgsqlDataSource database, TimeProvider time, ILogger<DispatcherStatus> logger)
    : DispatchingLoop("the dispatchers' status", time, logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>Answers how many changed.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(MaintenanceSql.DispatcherStatus);
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = DispatchingTimes.Lease });
        command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = DispatchingTimes.Offline });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var changed = 0;
        while (await rows.ReadAsync(cancellationToken))
        {
            changed++;
            var status = WireEnum<DispatcherState>.Parse(rows.GetString(1));
            if (status is DispatcherState.Unreachable or DispatcherState.Offline) LogSilent(rows.GetString(0), status);
        }

        return changed;
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        await RunOnceAsync(cancellationToken);
        return Pause;
    }

    [LoggerMessage(3012, LogLevel.Warning, "Dispatcher {Name} is {Status}.")]
    private partial void LogSilent(string name, DispatcherState status);
}
