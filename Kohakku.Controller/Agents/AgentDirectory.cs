using System.Collections.Concurrent;
using Npgsql;

namespace Kohakku.Controller.Agents;

/// <summary>
/// Ids of agents by name, remembered for some seconds, so that a submit need not ask. Only agents that are there are remembered, and the
/// submit's statement looks again whether the agent still is. May be called at once.
/// </summary>
internal sealed class AgentDirectory(NpgsqlDataSource database, TimeProvider time)
{
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<(Guid ProjectId, string Name), (Guid Id, DateTimeOffset Until)> _known = new();

    /// <summary>Answers the id of each name that is an agent of the project.</summary>
    public async Task<IReadOnlyDictionary<string, Guid>> FindAsync(Guid projectId, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var found = new Dictionary<string, Guid>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            if (_known.TryGetValue((projectId, name), out var known) && known.Until > now) found[name] = known.Id;
        }

        if (found.Count < names.Count) await ReadAsync(projectId, [.. names.Where(name => !found.ContainsKey(name))], found, cancellationToken);
        return found;
    }

    /// <summary>The agent was deleted: the next look goes to the database.</summary>
    public void Forget(Guid projectId, string name) => _known.TryRemove((projectId, name), out _);

    private async Task ReadAsync(Guid projectId, string[] names, Dictionary<string, Guid> found, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT name, id FROM agents WHERE project_id = $1 AND name = ANY($2) AND deleted_at IS NULL");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = projectId });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = names });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (_known.Count > MostRemembered) _known.Clear();
        var until = time.GetUtcNow() + Remembered;
        while (await reader.ReadAsync(cancellationToken))
        {
            var (name, id) = (reader.GetString(0), reader.GetGuid(1));
            found[name] = id;
            _known[(projectId, name)] = (id, until);
        }
    }
}
