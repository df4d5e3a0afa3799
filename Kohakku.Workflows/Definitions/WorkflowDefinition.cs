using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;

namespace Kohakku.Workflows.Definitions;

/// <summary>
/// One version of a workflow, as it was read from its document and found free of faults. Serialized (camelCase, without nulls) it is the canonical form
/// that runs are interpreted from: two documents that mean the same have the same. Strings marked as templates are Liquid.
/// </summary>
public sealed record WorkflowDefinition
{
    /// <summary>1 to 63 characters: a-z, 0-9 and inner hyphens.</summary>
    public required string Name { get; init; }
    public string? Description { get; init; }
    /// <summary>By name, in the document's order.</summary>
    public IReadOnlyDictionary<string, InputDefinition> Inputs { get; init; } = new Dictionary<string, InputDefinition>();
    public ConcurrencyDefinition? Concurrency { get; init; }
    /// <summary>Of the whole run, from its start; null: none. 1 s to 365 d.</summary>
    public TimeSpan? Timeout { get; init; }
    /// <summary>The id of the step that runs when the run fails; it stands outside the graph.</summary>
    public string? OnFailure { get; init; }
    /// <summary>1 to 200, in the document's order.</summary>
    public required IReadOnlyList<StepDefinition> Steps { get; init; }
    /// <summary>Any JSON object; its strings are templates. Null: the run has no outputs.</summary>
    public JsonElement? Outputs { get; init; }
}

/// <summary>What a run must or may be given.</summary>
public sealed record InputDefinition
{
    /// <summary>One of <c>string number integer boolean object array any</c>.</summary>
    public required string Type { get; init; }
    public bool Required { get; init; }
    /// <summary>Taken when the input isn't given; fits <see cref="Type"/>.</summary>
    public JsonElement? Default { get; init; }
    public string? Description { get; init; }
    /// <summary>The values allowed; null: any.</summary>
    public IReadOnlyList<JsonElement>? Enum { get; init; }
}

/// <summary>Runs whose key renders to the same text queue for <see cref="Limit"/> places.</summary>
public sealed record ConcurrencyDefinition
{
    /// <summary>A template over <c>inputs</c>.</summary>
    public required string Key { get; init; }
    /// <summary>1 to 1,000.</summary>
    public int Limit { get; init; } = 1;
}

/// <summary>What a step does.</summary>
[JsonConverter(typeof(WireEnumConverter<StepKind>))]
public enum StepKind { Agent, Approval, Wait, Workflow, Webhook, Signal }

/// <summary>One step. Exactly the property named for its <see cref="Kind"/> is set.</summary>
public sealed record StepDefinition
{
    /// <summary>Unique in the workflow; 1 to 63 characters: a letter or underscore, then letters, digits, underscores.</summary>
    public required string Id { get; init; }
    public required StepKind Kind { get; init; }
    public IReadOnlyList<string> Needs { get; init; } = [];
    /// <summary>One <c>{{ e }}</c> without filters, asked once for the step, before its items; false skips it.</summary>
    public string? If { get; init; }
    /// <summary>One <c>{{ e }}</c> whose value is an array: the step is done once for each of its items.</summary>
    public string? ForEach { get; init; }
    /// <summary>How many items run at once, 1 to 1,000; null: as many as there are.</summary>
    public int? MaxParallel { get; init; }
    /// <summary>How often it is tried in all, 1 to 100.</summary>
    public int MaxAttempts { get; init; } = 1;
    /// <summary>Of the whole step with all its items, from its start; null: none. 1 s to 365 d.</summary>
    public TimeSpan? Timeout { get; init; }
    /// <summary>Its failure does not fail the run.</summary>
    public bool ContinueOnError { get; init; }

    public AgentStep? Agent { get; init; }
    public BestOf? BestOf { get; init; }
    public ApprovalStep? Approval { get; init; }
    public WaitStep? Wait { get; init; }
    public SubWorkflowStep? Workflow { get; init; }
    public WebhookStep? Webhook { get; init; }
    public SignalStep? Signal { get; init; }
}

/// <summary>A task for an agent. <c>Brief</c>, <c>Agent</c>, <c>Title</c> and the strings in <c>Inputs</c> and <c>Env</c> are templates.</summary>
public sealed record AgentStep
{
    public required string Agent { get; init; }
    public required string Brief { get; init; }
    public string? Title { get; init; }
    public IReadOnlyList<string> Skills { get; init; } = [];
    /// <summary>An object; null: none.</summary>
    public JsonElement? Inputs { get; init; }
    public IReadOnlyDictionary<string, string> Env { get; init; } = new Dictionary<string, string>();
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    public IReadOnlyList<string> Tags { get; init; } = [];
    /// <summary>−100 to 100.</summary>
    public int Priority { get; init; }
    /// <summary>A JSON schema that the task's output must fit, or the attempt fails as <c>invalidResult</c>; null: anything.</summary>
    public JsonElement? Output { get; init; }
    /// <summary>As a task's, checked as a task's: <c>{ "cpu", "memoryMb", "pids" }</c>.</summary>
    public JsonElement? Resources { get; init; }
    /// <summary>As a task's: <c>{ "mode", "allow" }</c>.</summary>
    public JsonElement? Network { get; init; }
}

/// <summary>The brief is given to several tasks; a judge picks the one whose output is the step's.</summary>
public sealed record BestOf
{
    /// <summary>2 to 20.</summary>
    public required int Count { get; init; }
    /// <summary>Its brief sees <c>candidates</c>: the outputs, null where one failed. It answers <c>{ "winner": index }</c>.</summary>
    public required JudgeStep Judge { get; init; }
}

/// <summary>Both are templates; only the brief sees <c>candidates</c>.</summary>
public sealed record JudgeStep
{
    public required string Agent { get; init; }
    public required string Brief { get; init; }
}

/// <summary>A person decides.</summary>
public sealed record ApprovalStep
{
    /// <summary>A template.</summary>
    public required string Prompt { get; init; }
    /// <summary>Null: it waits as long as the run.</summary>
    public TimeSpan? Timeout { get; init; }
    /// <summary><c>approve</c> or <c>reject</c>: what its time-out counts as.</summary>
    public string OnTimeout { get; init; } = "reject";
}

/// <summary>Exactly one of the two is set.</summary>
public sealed record WaitStep
{
    /// <summary>1 s to 365 d, or a template that renders to such a duration.</summary>
    public string? For { get; init; }
    /// <summary>An RFC 3339 time, or a template that renders to one.</summary>
    public string? Until { get; init; }
}

/// <summary>A run of another workflow of the same project.</summary>
public sealed record SubWorkflowStep
{
    /// <summary>Its name; no template, so that its existence can be checked.</summary>
    public required string Name { get; init; }
    /// <summary>Null: the newest at the time the step begins.</summary>
    public int? Version { get; init; }
    /// <summary>Its inputs: an object whose strings are templates.</summary>
    public JsonElement? With { get; init; }
}

/// <summary>A request to elsewhere; it ends on 2xx. <c>Url</c>, the values of <c>Headers</c> and the strings in <c>Body</c> are templates.</summary>
public sealed record WebhookStep
{
    public required string Url { get; init; }
    /// <summary><c>POST</c>, <c>PUT</c>, <c>PATCH</c>, <c>GET</c> or <c>DELETE</c>.</summary>
    public string Method { get; init; } = "POST";
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();
    public JsonElement? Body { get; init; }
}

/// <summary>Waits for <c>POST /runs/{id}/signals/{name}</c>; the body is its output.</summary>
public sealed record SignalStep
{
    /// <summary>1 to 63 characters, as a step's id, hyphens allowed.</summary>
    public required string Name { get; init; }
}
