using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>Fixes the versions of the skills that tasks ask for, so that each attempt of a task gets the same.</summary>
internal static class SkillPins
{
    private const string Sql = """
        SELECT s.name, s.latest_version, v.version, v.digest
        FROM skills s JOIN skill_versions v ON v.skill_id = s.id
        WHERE s.project_id = $1 AND s.name = ANY($2) AND s.deleted_at IS NULL
          AND (v.version = s.latest_version OR v.version = ANY($3))
        """;

    /// <summary>Answers the skills of each task; what isn't there goes to <paramref name="faults"/>.</summary>
    public static async Task<IReadOnlyList<PinnedSkill>[]> FindAsync(
        NpgsqlDataSource database, Guid projectId, IReadOnlyList<SubmitTask> tasks, IReadOnlyList<string> prefixes, Faults faults, CancellationToken cancellationToken)
    {
        var pins = new IReadOnlyList<PinnedSkill>[tasks.Count];
        Array.Fill(pins, []);
        var references = tasks.Select(task => task.Skills?.Select(Parse).ToList() ?? []).ToList();
        if (references.All(of => of.Count == 0)) return pins;

        var versions = await ReadAsync(database, projectId, [.. references.SelectMany(of => of)], cancellationToken);
        for (var i = 0; i < tasks.Count; i++)
        {
            var found = new List<PinnedSkill>();
            for (var j = 0; j < references[i].Count; j++)
            {
                var reference = references[i][j];
                if (versions.TryGetValue(reference, out var pin)) found.Add(pin);
                else faults.Add(
                    $"{prefixes[i]}skills[{j}]",
                    versions.ContainsKey(reference with { Version = null }) ? "is not a version of this skill" : "is not a skill of this project");
            }

            pins[i] = found;
        }

        return pins;
    }

    private static SkillReference Parse(string text) =>
        SkillReference.TryParse(text, out var reference) ? reference : throw new InvalidOperationException($"'{text}' was not checked.");

    private static async Task<Dictionary<SkillReference, PinnedSkill>> ReadAsync(
        NpgsqlDataSource database, Guid projectId, IReadOnlyCollection<SkillReference> references, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = projectId });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. references.Select(reference => reference.Name).Distinct()] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. references.Select(reference => reference.Version).OfType<int>().Distinct()] });
        var versions = new Dictionary<SkillReference, PinnedSkill>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var pin = new PinnedSkill(reader.GetString(0), reader.GetInt32(2), reader.GetString(3));
            versions[new SkillReference(pin.Name, pin.Version)] = pin;
            if (reader.GetInt32(1) == pin.Version) versions[new SkillReference(pin.Name, null)] = pin;
        }

        return versions;
    }
}
