using Kohakku.Contracts;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Tasks.Artifacts;

/// <summary>The files that a task's attempts left. Of one path the newest attempt's counts, unless an attempt is asked for.</summary>
internal sealed class ArtifactQueries(NpgsqlDataSource database)
{
    private const string Columns = "path, attempt, size, sha256, content_type, created_at";

    private const string ListSql = $"""
        SELECT DISTINCT ON (path) {Columns} FROM artifacts
        WHERE task_id = $1 AND path > $2 AND ($3::int IS NULL OR attempt = $3) ORDER BY path, attempt DESC LIMIT $4
        """;

    private const string FindSql = $"""
        SELECT {Columns} FROM artifacts WHERE task_id = $1 AND path = $2 AND ($3::int IS NULL OR attempt = $3) ORDER BY attempt DESC LIMIT 1
        """;

    public async Task<bool> TaskExistsAsync(Guid projectId, Guid taskId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT EXISTS (SELECT FROM tasks WHERE project_id = $1 AND id = $2)");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = projectId });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = taskId });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task<Page<ArtifactView>> ListAsync(Guid taskId, int? attempt, NamePage page, CancellationToken cancellationToken)
    {
        await using var command = Command(ListSql, taskId, page.After, attempt);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = page.Limit + 1 });
        var found = new List<ArtifactView>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) found.Add(Read(reader));
        return page.Of(found, artifact => artifact, artifact => artifact.Path);
    }

    public async Task<ArtifactView?> FindAsync(Guid taskId, string path, int? attempt, CancellationToken cancellationToken)
    {
        await using var command = Command(FindSql, taskId, path, attempt);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    private NpgsqlCommand Command(string sql, Guid taskId, string path, int? attempt)
    {
#pragma warning disable CA2100 // One of the constants above.
        var command = database.CreateCommand(sql);
#pragma warning restore CA2100
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = taskId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = path });
        command.Parameters.Add(new NpgsqlParameter<int?> { TypedValue = attempt });
        return command;
    }

    private static ArtifactView Read(NpgsqlDataReader reader) => new(
        reader.GetString(0), reader.GetInt32(1), reader.GetInt64(2), reader.GetString(3), reader.GetString(4), reader.GetFieldValue<DateTimeOffset>(5));
}
