using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Tasks.Views;

/// <summary>The attempts of many tasks in one query.</summary>
internal static class AttemptRows
{
    private const string Sql = """
        SELECT task_id, id, number, generation, status, dispatcher_name, reason, exit_code, message, claimed_at, started_at, ended_at
        FROM attempts WHERE task_id = ANY($1) ORDER BY task_id, number
        """;

    /// <summary>The newest last.</summary>
    public static async Task<ILookup<Guid, AttemptView>> ReadAsync(NpgsqlConnection connection, Guid[] taskIds, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = taskIds });
        var attempts = new List<(Guid TaskId, AttemptView Attempt)>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) attempts.Add((reader.GetGuid(0), Read(reader)));
        return attempts.ToLookup(row => row.TaskId, row => row.Attempt);
    }

    private static AttemptView Read(NpgsqlDataReader reader) => new(
        reader.GetGuid(1), reader.GetInt32(2), reader.GetInt32(3), WireEnum<AttemptState>.Parse(reader.GetString(4)), reader.GetString(5),
        reader.IsDBNull(6) ? null : WireEnum<FailureReason>.Parse(reader.GetString(6)), reader.IsDBNull(7) ? null : reader.GetInt32(7),
        reader.IsDBNull(8) ? null : reader.GetString(8), reader.GetFieldValue<DateTimeOffset>(9), reader.Time(10), reader.Time(11));
}
