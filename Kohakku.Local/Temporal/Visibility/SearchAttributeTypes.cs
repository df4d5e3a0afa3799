using Temporalio.Api.Enums.V1;
using static Temporalio.Api.Enums.V1.IndexedValueType;

namespace Kohakku.Local.Temporal.Visibility;

/// <summary>The search attributes that every namespace has, and the names of the types.</summary>
internal static class SearchAttributeTypes
{
    /// <summary>Hides runs of the server's own from queries that don't name it.</summary>
    public const string NamespaceDivision = "TemporalNamespaceDivision";
    public const string ReservedPrefix = "Temporal";

    /// <summary>Columns of a run; nobody can set them.</summary>
    public static IReadOnlyDictionary<string, IndexedValueType> System { get; } = new Dictionary<string, IndexedValueType>(StringComparer.Ordinal)
    {
        ["WorkflowId"] = Keyword,
        ["RunId"] = Keyword,
        ["WorkflowType"] = Keyword,
        ["StartTime"] = Datetime,
        ["ExecutionTime"] = Datetime,
        ["CloseTime"] = Datetime,
        ["ExecutionStatus"] = Keyword,
        ["TaskQueue"] = Keyword,
        ["HistoryLength"] = Int,
        ["ExecutionDuration"] = Int,
        ["StateTransitionCount"] = Int,
        ["HistorySizeBytes"] = Int,
        ["ParentWorkflowId"] = Keyword,
        ["ParentRunId"] = Keyword,
        ["RootWorkflowId"] = Keyword,
        ["RootRunId"] = Keyword,
    };

    /// <summary>Kept with the custom ones, and may be set from outside.</summary>
    public static IReadOnlyDictionary<string, IndexedValueType> Settable { get; } = new Dictionary<string, IndexedValueType>(StringComparer.Ordinal)
    {
        ["TemporalChangeVersion"] = KeywordList,
        ["BinaryChecksums"] = KeywordList,
        ["BuildIds"] = KeywordList,
        ["BatcherNamespace"] = Keyword,
        ["BatcherUser"] = Keyword,
        ["TemporalScheduledStartTime"] = Datetime,
        ["TemporalScheduledById"] = Keyword,
        ["TemporalSchedulePaused"] = Bool,
        [NamespaceDivision] = Keyword,
        ["TemporalPauseInfo"] = KeywordList,
        ["TemporalReportedProblems"] = KeywordList,
    };

    /// <summary>All that are kept with the custom ones, also those that only the server sets.</summary>
    public static IReadOnlyDictionary<string, IndexedValueType> Predefined { get; } = new Dictionary<string, IndexedValueType>(Settable, StringComparer.Ordinal)
    {
        ["TemporalWorkerDeploymentVersion"] = Keyword,
        ["TemporalWorkflowVersioningBehavior"] = Keyword,
        ["TemporalWorkerDeployment"] = Keyword,
        ["TemporalUsedWorkerDeploymentVersions"] = KeywordList,
        ["TemporalExternalPayloadCount"] = Int,
        ["TemporalExternalPayloadSizeBytes"] = Int,
    };

    private static readonly HashSet<string> Fields = new(StringComparer.Ordinal) { "NamespaceId", "MemoEncoding", "Memo", "VisibilityTaskKey" };

    public static bool IsReserved(string name) =>
        System.ContainsKey(name) || Predefined.ContainsKey(name) || Fields.Contains(name) || name.StartsWith(ReservedPrefix, StringComparison.Ordinal);

    /// <summary>As it stands in a payload's metadata, and in messages.</summary>
    public static string Name(this IndexedValueType type) => type.ToString();
}
