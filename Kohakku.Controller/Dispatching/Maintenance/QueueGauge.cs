using Npgsql;

namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>Looks now and then how long the queue is, for the metrics.</summary>
internal sealed class QueueGauge(NpgsqlDataSource database, DispatchingMetrics metrics, TimeProvider time, ILogger<QueueGauge> logger)
    : DispatchingLoop("the queue's gauge", time, logger)
{
    private const string Sql =
        """
        SELECT agent_name, count(*), coalesce(extract(epoch FROM clock_timestamp() - min(queued_at)), 0)::float8
        FROM tasks WHERE status = 'queued' GROUP BY agent_name
        """;

    // It reads the whole queue, so not often.
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        List<QueueFigure> figures = [];
        await using var command = database.CreateCommand(Sql);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) figures.Add(new QueueFigure(rows.GetString(0), rows.GetInt64(1), rows.GetDouble(2)));
        metrics.SetQueue(figures);
        return figures.Count;
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        await RunOnceAsync(cancellationToken);
        return Pause;
    }
}
