using System.Text;
using Kohakku.Contracts.Storage;
using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Tasks.Views;

/// <summary>Reads tasks by id, whole: with their attempts, and with brief and inputs from wherever they lie.</summary>
internal sealed class TaskQueries(NpgsqlDataSource database, ObjectStorage storage, TaskViews views)
{
    private const string ByIdSql = $"SELECT {TaskRow.AllColumns} FROM tasks t WHERE t.project_id = $1 AND t.id = ANY($2)";

    public async Task<TaskView?> FindAsync(Guid projectId, Guid id, CancellationToken cancellationToken) =>
        (await FindAsync(projectId, [id], cancellationToken)).SingleOrDefault();

    /// <summary>In the order of <paramref name="ids"/>; without those that are not there.</summary>
    public async Task<IReadOnlyList<TaskView>> FindAsync(Guid projectId, Guid[] ids, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = new Dictionary<Guid, TaskRow>(ids.Length);
        await using (var command = new NpgsqlCommand(ByIdSql, connection))
        {
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = projectId });
            command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = ids });
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                var row = TaskRow.Read(reader);
                rows.Add(row.Id, row);
            }
        }

        if (rows.Count == 0) return [];
        var attempts = await AttemptRows.ReadAsync(connection, [.. rows.Keys], cancellationToken);
        await connection.CloseAsync();
        var found = new List<TaskView>(rows.Count);
        foreach (var id in ids)
        {
            if (rows.TryGetValue(id, out var row)) found.Add(await ViewAsync(row, attempts[id], cancellationToken));
        }

        return found;
    }

    private async Task<TaskView> ViewAsync(TaskRow row, IEnumerable<AttemptView> attempts, CancellationToken cancellationToken) => await views.OfAsync(
        row, attempts, row.Brief ?? await StoredAsync(ObjectKeys.Brief(row.Id), cancellationToken),
        row.InputsStored ? await StoredAsync(ObjectKeys.Inputs(row.Id), cancellationToken) : row.Inputs, cancellationToken);

    private async Task<string> StoredAsync(string key, CancellationToken cancellationToken) =>
        await storage.ReadAsync(key, cancellationToken) is { } bytes
            ? Encoding.UTF8.GetString(bytes)
            : throw new InvalidDataException($"{key} is not in the object storage, though its task is in the database.");
}
