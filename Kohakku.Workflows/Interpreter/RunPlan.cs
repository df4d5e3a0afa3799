using Kohakku.Workflows.Definitions;

namespace Kohakku.Workflows.Interpreter;

/// <summary>
/// What the interpreter needs of a definition: its graph and its bounds, none of its texts. It goes into the Temporal workflow's input, so it is small,
/// and it never changes for a run. Steps are named by their index here and in everything between the workflow and its activities.
/// </summary>
public sealed record RunPlan
{
    public required IReadOnlyList<PlanStep> Steps { get; init; }
    /// <summary>The index of the step that stands outside the graph; null: none.</summary>
    public int? OnFailure { get; init; }
    public TimeSpan? Timeout { get; init; }

    public static RunPlan Of(WorkflowDefinition definition)
    {
        ArgumentNullException.ThrowIfNull(definition);
        var indexes = definition.Steps.Select((step, index) => (step.Id, index)).ToDictionary(pair => pair.Id, pair => pair.index);
        return new RunPlan
        {
            Steps = [.. definition.Steps.Select(step => PlanStep.Of(step, indexes))],
            OnFailure = definition.OnFailure is { } id ? indexes[id] : null,
            Timeout = definition.Timeout,
        };
    }
}

public sealed record PlanStep
{
    public required string Id { get; init; }
    public required StepKind Kind { get; init; }
    public IReadOnlyList<int> Needs { get; init; } = [];
    public bool HasIf { get; init; }
    /// <summary>It has a <c>for_each</c>.</summary>
    public bool FansOut { get; init; }
    public int? MaxParallel { get; init; }
    public int MaxAttempts { get; init; } = 1;
    public TimeSpan? Timeout { get; init; }
    public bool ContinueOnError { get; init; }
    /// <summary>How many candidates each unit has; 0: it has no judge.</summary>
    public int Candidates { get; init; }
    public TimeSpan? ApprovalTimeout { get; init; }
    /// <summary>The name of the signal it waits for.</summary>
    public string? Signal { get; init; }

    /// <summary>Its units end by what people, other systems or the clock do.</summary>
    public bool Waits => Kind is StepKind.Approval or StepKind.Wait or StepKind.Signal;

    internal static PlanStep Of(StepDefinition step, IReadOnlyDictionary<string, int> indexes) => new()
    {
        Id = step.Id,
        Kind = step.Kind,
        Needs = [.. step.Needs.Select(need => indexes[need])],
        HasIf = step.If is not null,
        FansOut = step.ForEach is not null,
        MaxParallel = step.MaxParallel,
        MaxAttempts = step.MaxAttempts,
        Timeout = step.Timeout,
        ContinueOnError = step.ContinueOnError,
        Candidates = step.BestOf?.Count ?? 0,
        ApprovalTimeout = step.Approval?.Timeout,
        Signal = step.Signal?.Name,
    };
}
