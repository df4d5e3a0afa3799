using System.Text.Json;

namespace Kohakku.Workflows.Definitions;

/// <summary>What a run with these inputs would do, as far as it can be told before it begins.</summary>
/// <param name="Layers">The steps whose needs are all in earlier layers, layer by layer; what stands in one can run at once.</param>
/// <param name="OnFailure">The step that runs only when the run fails.</param>
/// <param name="MaxTasks">The most tasks that it can submit, its sub-workflows' not counted.</param>
/// <param name="MaxTasksIsBound">A fan-out's items are not known yet: <paramref name="MaxTasks"/> is what the limit of items allows.</param>
/// <param name="Faults">What these inputs make impossible.</param>
public sealed record PlanView(
    string Workflow, JsonElement Inputs, IReadOnlyList<IReadOnlyList<PlannedStep>> Layers, PlannedStep? OnFailure, PlannedValue? ConcurrencyKey, PlannedValue? Outputs,
    long MaxTasks, bool MaxTasksIsBound, IReadOnlyList<PlanFault> Faults);

/// <param name="Items">Of a fan-out, where it can be known.</param>
/// <param name="MaxTasks">Null: it depends on items that are not known yet.</param>
/// <param name="Values">Its templates, in the order of their keys in the document's language.</param>
public sealed record PlannedStep(
    string Id, StepKind Kind, IReadOnlyList<string> Needs, bool IsFanOut, int? Items, long? MaxTasks, IReadOnlyList<PlannedValue> Values);

/// <param name="Key">Like <c>brief</c> or <c>best_of.judge.brief</c>.</param>
/// <param name="Value">What it renders to; its template where that can't be known yet.</param>
public sealed record PlannedValue(string Key, JsonElement Value, bool Rendered);

/// <param name="Step">Null: it is not in a step.</param>
/// <param name="Message">For the operator, to be read after the key.</param>
public sealed record PlanFault(string? Step, string Key, string Message);
