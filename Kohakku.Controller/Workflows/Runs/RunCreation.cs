using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;
using Kohakku.Workflows.Templates;
using Npgsql;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>A run that has passed every check, as it will be written.</summary>
internal sealed record NewRun
{
    public required Guid Id { get; init; }
    public required Guid ProjectId { get; init; }
    public required Guid WorkflowId { get; init; }
    public required WorkflowDefinition Definition { get; init; }
    public required int Version { get; init; }
    public required JsonElement Inputs { get; init; }
    public required string SubmittedBy { get; init; }
    public string? ConcurrencyKey { get; init; }
    public string? IdempotencyKey { get; init; }
    public byte[]? RequestHash { get; init; }
    public (Guid RunId, int Step, int Item, int Attempt)? Parent { get; init; }
    public int Depth { get; init; }
    public Guid? RetryOf { get; init; }
    /// <summary>Steps that it takes over from <see cref="RetryOf"/>, by index.</summary>
    public IReadOnlyList<int> Reused { get; init; } = [];
}

/// <summary>Finds a workflow and checks what a run of it is given. Writes nothing.</summary>
internal sealed class RunCreation(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Of runs within runs, the first included.</summary>
    public const int MostLevels = 5;

    private const int LargestInputs = 1024 * 1024;

    /// <summary>$1 project, $2 name, $3 version or null.</summary>
    private const string FindSql =
        """
        SELECT w.id, v.version, v.canonical FROM workflows w JOIN workflow_versions v ON v.workflow_id = w.id AND v.version = coalesce($3, w.latest_version)
        WHERE w.project_id = $1 AND w.name = $2 AND w.deleted_at IS NULL
        """;

    /// <summary>Null: the project has no such workflow, or it no such version. What else is wrong goes to <paramref name="faults"/>.</summary>
    public async Task<NewRun?> PrepareAsync(
        Guid projectId, string name, int? version, JsonElement? inputs, string submittedBy, Faults faults, CancellationToken cancellationToken)
    {
        if (await FindAsync(projectId, name, version, cancellationToken) is not { } found) return null;
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var resolved = WorkflowInputs.Resolve(found.Definition, inputs, faults);
        if (!faults.Any && resolved.GetRawText().Length > LargestInputs) faults.Add("inputs", "must be at most 1 MiB of JSON");
        return new NewRun
        {
            Id = id,
            ProjectId = projectId,
            WorkflowId = found.Id,
            Definition = found.Definition,
            Version = found.Version,
            Inputs = resolved,
            SubmittedBy = submittedBy,
            ConcurrencyKey = faults.Any ? null : Key(found.Definition, resolved, id, found.Version, faults),
        };
    }

    /// <summary>Null: there is none.</summary>
    public async Task<(Guid Id, int Version, WorkflowDefinition Definition)?> FindAsync(Guid projectId, string name, int? version, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(FindSql).With(projectId).With(name).With(version);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken) ? (rows.GetGuid(0), rows.GetInt32(1), CanonicalForm.Read(rows.GetString(2))) : null;
    }

    private string? Key(WorkflowDefinition definition, JsonElement inputs, Guid id, int version, Faults faults)
    {
        if (definition.Concurrency is not { } concurrency) return null;
        try
        {
            var facts = new RunFacts(id, WireEnum<RunState>.NameOf(RunState.Pending), definition.Name, version, time.GetUtcNow());
            var key = Template.Text(concurrency.Key, new TemplateScope { Inputs = inputs, Run = facts });
            if (key.Length is > 0 and <= 200 && !key.Any(char.IsControl)) return $"{definition.Name}:{key}";
            faults.Add("concurrency.key", "must come to 1 to 200 printable characters with these inputs");
        }
        catch (TemplateException fault)
        {
            faults.Add("concurrency.key", fault.Message);
        }

        return null;
    }
}
