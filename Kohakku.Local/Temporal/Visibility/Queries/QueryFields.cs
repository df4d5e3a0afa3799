using Temporalio.Api.Enums.V1;

namespace Kohakku.Local.Temporal.Visibility.Queries;

/// <summary>What a name in a query stands for.</summary>
/// <param name="Name">As it was written, for messages.</param>
/// <param name="Key">Of the search attribute that it means.</param>
/// <param name="Sql">Its column; null when it is kept among the search attributes.</param>
internal sealed record QueryField(string Name, string Key, IndexedValueType Type, string? Sql);

/// <summary>Finds the field of a name in a namespace.</summary>
internal static class QueryFields
{
    public const string Status = "ExecutionStatus";
    public const string Duration = "ExecutionDuration";
    public const string RunId = "RunId";
    private const string ScheduleId = "ScheduleId";

    private static readonly Dictionary<string, string> Columns = new(StringComparer.Ordinal)
    {
        ["WorkflowId"] = "workflow_id",
        [RunId] = "run_id::text",
        ["WorkflowType"] = "workflow_type",
        ["StartTime"] = "start_time",
        ["ExecutionTime"] = "execution_time",
        ["CloseTime"] = "close_time",
        [Status] = "status",
        ["TaskQueue"] = "task_queue",
        ["HistoryLength"] = "history_length",
        ["HistorySizeBytes"] = "history_size_bytes",
        // Nanoseconds.
        [Duration] = "(extract(epoch from close_time - execution_time) * 1000000000)",
        ["ParentWorkflowId"] = "parent_workflow_id",
        ["ParentRunId"] = "parent_run_id",
        // A run without a parent is its own root.
        ["RootWorkflowId"] = "coalesce(root_workflow_id, workflow_id)",
        ["RootRunId"] = "coalesce(root_run_id, run_id::text)",
    };

    /// <exception cref="InvalidQueryException">There is no such search attribute.</exception>
    public static QueryField Find(SearchAttributeRegistry registry, string @namespace, string name)
    {
        if (registry.TypeOf(@namespace, name) is { } type) return Field(name, name, type);
        var isPrefixed = name.StartsWith(SearchAttributeTypes.ReservedPrefix, StringComparison.Ordinal);
        var bare = isPrefixed ? name[SearchAttributeTypes.ReservedPrefix.Length..] : name;
        if (bare == ScheduleId) return Field(name, "WorkflowId", IndexedValueType.Keyword);
        // The prefix may be left out, or be too much.
        var other = isPrefixed ? bare : SearchAttributeTypes.ReservedPrefix + name;
        if (SearchAttributeRegistry.System.TryGetValue(other, out var found)) return Field(name, other, found);
        throw InvalidQueryException.Invalid($"column name '{name}' is not a valid search attribute");
    }

    private static QueryField Field(string name, string key, IndexedValueType type)
    {
        if (key == "StateTransitionCount") throw InvalidQueryException.NotSupported($"this server does not count state transitions, so '{name}' can't be used");
        return new QueryField(name, key, type, SearchAttributeTypes.System.ContainsKey(key) ? Columns[key] : null);
    }
}
