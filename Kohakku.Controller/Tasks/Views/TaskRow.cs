using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Tasks.Views;

/// <summary>What the API shows of a task's row, and what tells why it waits.</summary>
internal sealed record TaskRow(
    Guid Id, string Title, string Agent, TaskState Status, int Generation, int Priority, string? Brief, string? Inputs, bool InputsStored,
    IReadOnlyList<PinnedSkill> Skills, IReadOnlyDictionary<string, string> Labels, string[] Tags, string? ConcurrencyKey, int? ConcurrencyLimit, int MaxAttempts,
    int TimeoutSeconds, DateTimeOffset? NotBefore, DateTimeOffset? ExpiresAt, Guid[] Needs, OnLost OnLost, string? Output, FailureView? Failure, UsageView Usage,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, bool Claimable, DateTimeOffset? DueAt, int FailedAttempts, long UnmetNeeds)
{
    /// <summary>For lists: without what may be large and is in each task's own answer.</summary>
    public const string ListColumns = "NULL::text AS brief, NULL::json AS inputs, false AS inputs_stored, " + CommonColumns;
    public const string AllColumns = "t.brief, t.inputs, t.inputs_stored, " + CommonColumns;

    private const string CommonColumns = """
        t.id, t.title, t.agent_name, t.status, t.generation, t.priority, t.skills, t.labels, t.tags, t.concurrency_key, t.concurrency_limit, t.max_attempts,
        t.timeout_seconds, t.not_before, t.expires_at, t.needs, t.on_lost, t.output, t.failure, t.input_tokens, t.output_tokens, t.cost_usd,
        t.created_at, t.started_at, t.ended_at, t.claimable, t.due_at, t.agent_failures + t.infrastructure_faults,
        CASE WHEN t.status = 'scheduled' AND t.needs <> '{}' THEN (SELECT count(*) FROM tasks n WHERE n.id = ANY(t.needs) AND n.status <> 'succeeded') ELSE 0 END
        """;

    public static TaskRow Read(NpgsqlDataReader reader)
    {
        var column = 0;
        return new TaskRow(
            Brief: Text(), Inputs: Text(), InputsStored: reader.GetBoolean(column++),
            Id: reader.GetGuid(column++), Title: reader.GetString(column++), Agent: reader.GetString(column++),
            Status: WireEnum<TaskState>.Parse(reader.GetString(column++)), Generation: reader.GetInt32(column++), Priority: reader.GetInt32(column++),
            Skills: Json(ControllerJson.Default.IReadOnlyListPinnedSkill) ?? [],
            Labels: Json(ContractsJson.Default.IReadOnlyDictionaryStringString) ?? new Dictionary<string, string>(),
            Tags: reader.GetFieldValue<string[]>(column++), ConcurrencyKey: Text(), ConcurrencyLimit: Number(),
            MaxAttempts: reader.GetInt32(column++), TimeoutSeconds: reader.GetInt32(column++), NotBefore: Time(), ExpiresAt: Time(), Needs: reader.GetFieldValue<Guid[]>(column++),
            OnLost: WireEnum<OnLost>.Parse(reader.GetString(column++)), Output: Text(), Failure: Json(ContractsJson.Default.FailureView),
            Usage: new UsageView(reader.GetInt64(column++), reader.GetInt64(column++), reader.GetDecimal(column++)),
            CreatedAt: reader.GetFieldValue<DateTimeOffset>(column++), StartedAt: Time(), EndedAt: Time(),
            Claimable: reader.GetBoolean(column++), DueAt: Time(), FailedAttempts: reader.GetInt32(column++), UnmetNeeds: reader.GetInt64(column++));

        string? Text() => reader.IsDBNull(column++) ? null : reader.GetString(column - 1);
        int? Number() => reader.IsDBNull(column++) ? null : reader.GetInt32(column - 1);
        DateTimeOffset? Time() => reader.IsDBNull(column++) ? null : reader.GetFieldValue<DateTimeOffset>(column - 1);
        T? Json<T>(JsonTypeInfo<T> type) where T : class => Text() is { } text ? JsonSerializer.Deserialize(text, type) : null;
    }
}
