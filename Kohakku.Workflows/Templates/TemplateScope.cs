using System.Text.Json;

namespace Kohakku.Workflows.Templates;

/// <summary>What a template sees; names in templates are case-sensitive.</summary>
public sealed record TemplateScope
{
    /// <summary><c>inputs</c>: the run's, as <see cref="Definitions.WorkflowInputs"/> resolved them.</summary>
    public JsonElement? Inputs { get; init; }
    /// <summary><c>run</c>; null where the template is not one of a run.</summary>
    public RunFacts? Run { get; init; }
    /// <summary>What templates that are not of a run see by other names, as <c>schedule</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Others { get; init; } = new Dictionary<string, JsonElement>();
    /// <summary><c>steps</c>: by id, those that have ended.</summary>
    public IReadOnlyDictionary<string, StepValue> Steps { get; init; } = new Dictionary<string, StepValue>();
    /// <summary><c>item</c>: of a step with <c>for_each</c>.</summary>
    public JsonElement? Item { get; init; }
    /// <summary><c>index</c>: of that item, from 0.</summary>
    public int? Index { get; init; }
    /// <summary><c>candidates</c>: in a judge's brief, the outputs to choose from, null where one failed.</summary>
    public IReadOnlyList<JsonElement?>? Candidates { get; init; }
}

/// <summary><c>run.id</c>, <c>run.status</c>, <c>run.workflow</c>, <c>run.version</c>, <c>run.started_at</c> and <c>run.failure</c>.</summary>
/// <param name="Status">In its wire form: <c>running</c>, <c>failed</c>, …</param>
public sealed record RunFacts(Guid Id, string Status, string Workflow, int Version, DateTimeOffset StartedAt, RunFailure? Failure = null);

/// <summary><c>run.failure.step</c> and <c>run.failure.message</c>.</summary>
/// <param name="Step">The step that failed; null when it was the run itself, as by its timeout.</param>
public sealed record RunFailure(string? Step, string Message);

/// <summary>A step that has ended: <c>.status</c>, <c>.output</c>, and of a fan-out <c>.outputs</c>, <c>.succeeded</c> and <c>.failed</c>.</summary>
public sealed record StepValue
{
    /// <summary>In its wire form: <c>succeeded</c>, <c>skipped</c>, …</summary>
    public required string Status { get; init; }
    public JsonElement? Output { get; init; }
    /// <summary>Of a fan-out: by index, null where one failed; then <c>.output</c> is the same.</summary>
    public IReadOnlyList<JsonElement?>? Outputs { get; init; }
    public int Succeeded { get; init; }
    public int Failed { get; init; }
}
