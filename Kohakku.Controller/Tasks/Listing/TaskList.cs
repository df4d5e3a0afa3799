using System.Globalization;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Tasks.Views;
using Npgsql;

namespace Kohakku.Controller.Tasks.Listing;

/// <summary>
/// Pages through tasks, newest first, by id: a page costs the same wherever it is, and tasks that are made meanwhile shift nothing. One query
/// for the page, one for its attempts. What may be large (brief, inputs) is not shown in lists.
/// </summary>
internal sealed class TaskList(NpgsqlDataSource database, TaskViews views)
{
    public async Task<Page<TaskView>> ReadAsync(Guid projectId, TaskFilter filter, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var rows = await ReadRowsAsync(connection, projectId, filter, cancellationToken);
        var hasMore = rows.Count > filter.Limit;
        if (hasMore) rows.RemoveAt(filter.Limit);
        if (rows.Count == 0) return new Page<TaskView>([], null);

        var attempts = await AttemptRows.ReadAsync(connection, [.. rows.Select(row => row.Id)], cancellationToken);
        await connection.CloseAsync();
        var items = new List<TaskView>(rows.Count);
        foreach (var row in rows) items.Add(await views.OfAsync(row, attempts[row.Id], brief: null, inputs: null, cancellationToken));
        return new Page<TaskView>(items, hasMore ? Cursor.Of(rows[^1].Id) : null);
    }

    /// <summary>One more than the limit, which tells whether there is a next page.</summary>
    private static async Task<List<TaskRow>> ReadRowsAsync(NpgsqlConnection connection, Guid projectId, TaskFilter filter, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand { Connection = connection };
        var conditions = Conditions(command, projectId, filter);
        var limit = (filter.Limit + 1).ToString(CultureInfo.InvariantCulture);
        // Each status is an ordered range of its index; several are merged, where a list of statuses would have to be sorted as a whole.
        var ids = filter.Statuses.Count == 0
            ? [Ids(conditions)]
            : filter.Statuses.Select(status => Ids($"{conditions} AND status = {Parameter(command, WireEnum<TaskState>.NameOf(status))}")).ToArray();
#pragma warning disable CA2100 // Built of constants and parameters only.
        command.CommandText = $"""
            WITH page AS MATERIALIZED (SELECT id FROM ({string.Join(" UNION ALL ", ids)}) AS found ORDER BY id DESC LIMIT {limit})
            SELECT {TaskRow.ListColumns} FROM tasks t WHERE t.id IN (SELECT id FROM page) ORDER BY t.id DESC
            """;
#pragma warning restore CA2100
        var rows = new List<TaskRow>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) rows.Add(TaskRow.Read(reader));
        return rows;

        string Ids(string where) => $"(SELECT id FROM tasks WHERE {where} ORDER BY id DESC LIMIT {limit})";
    }

    private static string Conditions(NpgsqlCommand command, Guid projectId, TaskFilter filter)
    {
        var conditions = new StringBuilder($"project_id = {Parameter(command, projectId)}");
        if (filter.Before is { } before) conditions.Append($" AND id < {Parameter(command, before)}");
        if (filter.Agent is { } agent) conditions.Append($" AND agent_name = {Parameter(command, agent)}");
        // The indexes of tags and labels hold only the tasks that have some, and must be told so.
        if (filter.Tags.Count > 0) conditions.Append($" AND tags <> '{{}}' AND tags @> {Parameter(command, filter.Tags.ToArray())}");
        if (filter.Labels.Count > 0)
        {
            var labels = JsonSerializer.Serialize(filter.Labels, ContractsJson.Default.IReadOnlyDictionaryStringString);
            conditions.Append($" AND labels <> '{{}}' AND labels @> {Parameter(command, labels)}::jsonb");
        }

        if (filter.Text is { } text)
        {
            var title = $"title ILIKE {Parameter(command, $"%{Escaped(text)}%")}";
            conditions.Append(Guid.TryParse(text, out var id) ? $" AND ({title} OR id = {Parameter(command, id)})" : $" AND {title}");
        }

        return conditions.ToString();
    }

    private static string Parameter<T>(NpgsqlCommand command, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return $"${command.Parameters.Count}";
    }

    private static string Escaped(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("%", "\\%", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);
}
