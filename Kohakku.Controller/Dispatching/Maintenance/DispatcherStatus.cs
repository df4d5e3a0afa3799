using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Webhooks.Events;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>Notes which dispatchers fell silent, and for how long.</summary>
internal sealed partial class DispatcherStatus(NpgsqlDataSource database, TimeProvider time, ILogger<DispatcherStatus> logger)
    : DispatchingLoop("the dispatchers' status", time, logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private readonly TimeProvider time = time;

    /// <summary>Answers how many changed.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var changed = await UpdateAsync(connection, cancellationToken);
        if (changed.Count == 0) return 0;
        await using var batch = new NpgsqlBatch(connection);
        batch.TellDispatchers([.. changed.Select(dispatcher => dispatcher.Id)], time.GetColumnNow());
        await batch.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        foreach (var (_, name, status) in changed)
            if (status is DispatcherState.Unreachable or DispatcherState.Offline) LogSilent(name, status);
        return changed.Count;
    }

    private static async Task<List<(Guid Id, string Name, DispatcherState Status)>> UpdateAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(MaintenanceSql.DispatcherStatus).With(DispatchingTimes.Lease).With(DispatchingTimes.Offline);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        List<(Guid, string, DispatcherState)> changed = [];
        while (await rows.ReadAsync(cancellationToken)) changed.Add((rows.GetGuid(2), rows.GetString(0), WireEnum<DispatcherState>.Parse(rows.GetString(1))));
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
