using Npgsql;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>
/// Deletes runs with all that belongs to them, beside the writer, so that large histories hold nobody up. Whoever deletes a run
/// must have no change of it under way: a change after it would write the run anew.
/// </summary>
internal sealed class RunDeletion(NpgsqlDataSource database, TimeProvider time)
{
    private const string Delete = """
        delete from current_run using run where run.run_id = any($1::uuid[]) and current_run.namespace = run.namespace
            and current_run.workflow_id = run.workflow_id and current_run.run_id = run.run_id;
        delete from part where run_id = any($1::uuid[]);
        delete from history where run_id = any($1::uuid[]);
        delete from run where run_id = any($1::uuid[]);
        """;

    public Task DeleteAsync(long epoch, string @namespace, Guid runId, CancellationToken cancellationToken) => DeleteAsync(
        epoch,
        "select run_id from run where run_id = $1 and namespace = $2 for update",
        [new NpgsqlParameter<Guid> { TypedValue = runId }, new NpgsqlParameter<string> { TypedValue = @namespace }],
        cancellationToken);

    /// <returns>How many were deleted.</returns>
    public Task<int> DeleteClosedBeforeAsync(long epoch, DateTimeOffset before, int limit, CancellationToken cancellationToken) => DeleteAsync(
        epoch,
        "select run_id from run where close_time < $1 order by close_time limit $2 for update skip locked",
        [new NpgsqlParameter<DateTime> { TypedValue = before.UtcDateTime }, new NpgsqlParameter<int> { TypedValue = limit }],
        cancellationToken);

    private Task<int> DeleteAsync(long epoch, string select, NpgsqlParameter[] parameters, CancellationToken cancellationToken) => Faults.RetryAsync(
        database,
        time,
        async (connection, token) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(token);
            await CheckAsync(connection, epoch, token);
            var runIds = await SelectAsync(connection, select, parameters, token);
            if (runIds.Length == 0) return 0;
            await using var batch = new NpgsqlBatch(connection, transaction);
            foreach (var statement in Delete.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                batch.BatchCommands.Add(new NpgsqlBatchCommand(statement) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = runIds } } });
            await batch.ExecuteNonQueryAsync(token);
            await transaction.CommitAsync(token);
            return runIds.Length;
        },
        cancellationToken);

    private static async Task CheckAsync(NpgsqlConnection connection, long epoch, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select epoch from owner", connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is not long current || current != epoch)
            throw new SupersededException("another server took this database over");
    }

    private static async Task<Guid[]> SelectAsync(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var parameter in parameters) command.Parameters.Add(parameter.Clone());
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var runIds = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken)) runIds.Add(reader.GetGuid(0));
        return [.. runIds];
    }
}
