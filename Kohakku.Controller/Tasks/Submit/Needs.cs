using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>The tasks that must succeed before another may run.</summary>
internal static class Needs
{
    private const string Sql = "SELECT id, status FROM tasks WHERE project_id = $1 AND id = ANY($2) ORDER BY id";

    /// <summary>Looks whether the needed tasks are there and can still succeed.</summary>
    public static async Task CheckAsync(
        NpgsqlDataSource database, Guid projectId, IReadOnlyList<SubmitTask> tasks, IReadOnlyList<string> prefixes, Faults faults, CancellationToken cancellationToken)
    {
        if (tasks.All(task => task.Needs is null or { Count: 0 })) return;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var states = await ReadAsync(connection, Sql, projectId, tasks.SelectMany(task => task.Needs ?? []), cancellationToken);
        for (var i = 0; i < tasks.Count; i++) Judge(tasks[i].Needs, states, prefixes[i], faults);
    }

    /// <summary>The same, holding them as they are until the end of the transaction: whoever ends one of them then sees who waits for it.</summary>
    public static async Task<IReadOnlyList<NewTask>> LockAsync(
        NpgsqlConnection connection, IReadOnlyList<NewTask> tasks, IReadOnlyList<string> prefixes, Faults faults, CancellationToken cancellationToken)
    {
        if (tasks.All(task => task.Request.Needs is null or { Count: 0 })) return tasks;
        var states = await ReadAsync(
            connection, $"{Sql} FOR SHARE", tasks[0].ProjectId, tasks.SelectMany(task => task.Request.Needs ?? []), cancellationToken);
        for (var i = 0; i < tasks.Count; i++) Judge(tasks[i].Request.Needs, states, prefixes[i], faults);
        return
        [
            .. tasks.Select(task => task with
            {
                UnmetNeeds = task.Request.Needs?.Count(need => states.TryGetValue(need, out var state) && state != TaskState.Succeeded) ?? 0,
            }),
        ];
    }

    private static void Judge(IReadOnlyList<Guid>? needs, Dictionary<Guid, TaskState> states, string prefix, Faults faults)
    {
        for (var i = 0; i < (needs?.Count ?? 0); i++)
        {
            if (!states.TryGetValue(needs![i], out var state)) faults.Add($"{prefix}needs[{i}]", "is not a task of this project");
            else if (state.IsFinal() && state != TaskState.Succeeded) faults.Add($"{prefix}needs[{i}]", $"has already ended as {WireEnum<TaskState>.NameOf(state)}");
        }
    }

    private static async Task<Dictionary<Guid, TaskState>> ReadAsync(
        NpgsqlConnection connection, string sql, Guid projectId, IEnumerable<Guid> ids, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = projectId });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. ids.Distinct()] });
        var states = new Dictionary<Guid, TaskState>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken)) states[reader.GetGuid(0)] = WireEnum<TaskState>.Parse(reader.GetString(1));
        return states;
    }
}
