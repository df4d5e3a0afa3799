using System.Text.Json;

namespace Kohakku.Contracts.Workflows;

/// <summary>Answer of <c>PUT /api/v1/workflows/{name}</c>.</summary>
/// <param name="Version">From 1; the same document again makes no new one.</param>
public sealed record PutWorkflowResult(string Name, int Version);

/// <summary>A workflow at its newest version, or at the one that was asked for.</summary>
/// <param name="Source">The document as it was written.</param>
/// <param name="Steps">Its graph.</param>
public sealed record WorkflowView(
    string Name, int Version, string? Description, string Source, IReadOnlyList<WorkflowStepView> Steps, JsonElement Inputs,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <param name="OnFailure">It runs when the run fails, and stands outside the graph.</param>
public sealed record WorkflowStepView(string Id, string Kind, IReadOnlyList<string> Needs, bool FansOut, bool OnFailure);

/// <summary>An entry of the list of workflows.</summary>
public sealed record WorkflowSummary(string Name, int Version, string? Description, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>A fault of a document. Line and column count from 1.</summary>
public sealed record DocumentFault(int Line, int Column, string Path, string Message);

/// <summary>Body of <c>POST /api/v1/workflows/{name}/check</c>.</summary>
public sealed record CheckWorkflow
{
    /// <summary>An object.</summary>
    public JsonElement? Inputs { get; init; }
    /// <summary>Default: the newest.</summary>
    public int? Version { get; init; }
}

/// <summary>Body of <c>POST /api/v1/workflows/{name}/runs</c>.</summary>
public sealed record StartRun
{
    /// <summary>An object; what is not given takes its default.</summary>
    public JsonElement? Inputs { get; init; }
    /// <summary>Default: the newest.</summary>
    public int? Version { get; init; }
}

/// <param name="Failure">Why it did not succeed.</param>
/// <param name="ParentRunId">The run of which it is a step.</param>
/// <param name="RetryOf">The run whose outputs it took over.</param>
/// <param name="WaitReason">Why it is pending; null otherwise.</param>
public sealed record RunView(
    Guid Id, string Workflow, int Version, RunState Status, string? WaitReason, JsonElement Inputs, JsonElement? Outputs, string? Failure,
    IReadOnlyList<StepView> Steps, Guid? ParentRunId, Guid? RetryOf, string SubmittedBy,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, RunLinks Links);

/// <param name="Items">How many units it has; null until that is known.</param>
/// <param name="TaskIds">Of its newest attempts, by item; at most 1,000.</param>
/// <param name="Output">Of a fan-out an array, null where an item has none.</param>
public sealed record StepView(
    string Id, string Kind, StepState Status, IReadOnlyList<string> Needs, int? Items, int Succeeded, int Failed, IReadOnlyList<Guid> TaskIds, IReadOnlyList<Guid> RunIds,
    Guid? QuestionId, JsonElement? Output, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt, string? Failure);

public sealed record RunLinks(string Self, string Events, string Console);

/// <summary>An entry of the list of runs.</summary>
public sealed record RunSummary(
    Guid Id, string Workflow, int Version, RunState Status, string? Failure, int StepsEnded, int StepsTotal, Guid? ParentRunId, string SubmittedBy,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt);

/// <summary>One entry of a run's timeline.</summary>
/// <param name="Id">The run's own sequence, from 1 without gaps; the <c>id</c> of the server-sent event.</param>
/// <param name="Type"><c>run.created</c>, <c>run.started</c>, <c>step.running</c>, <c>step.ended</c>, <c>approval.asked</c>, … <c>run.ended</c>.</param>
/// <param name="Step">The step's id, where it is of one.</param>
public sealed record RunEventView(long Id, DateTimeOffset At, string Type, string? Step, JsonElement? Data);

/// <summary>Body of <c>POST /api/v1/runs/{id}/approvals/{stepId}</c>.</summary>
public sealed record DecideApproval
{
    /// <summary>Required: <c>approve</c> or <c>reject</c>.</summary>
    public string? Decision { get; init; }
    /// <summary>At most 4,000 characters.</summary>
    public string? Comment { get; init; }
}

/// <summary>Body of <c>POST /api/v1/runs/{id}/retry</c>.</summary>
public sealed record RetryRun
{
    /// <summary>Default: the steps that did not succeed.</summary>
    public string? FromStep { get; init; }
}

/// <param name="Id">The signal's id, as the timeline shows it.</param>
public sealed record ReceivedSignal(Guid Id);

/// <summary>An event of a run's Temporal workflow, for those who look under the hood.</summary>
/// <param name="Type">Temporal's: <c>WorkflowExecutionStarted</c>, <c>ActivityTaskScheduled</c>, …</param>
/// <param name="Attributes">As Temporal's protocol has them in JSON.</param>
public sealed record TemporalEventView(long Id, DateTimeOffset At, string Type, JsonElement? Attributes);
