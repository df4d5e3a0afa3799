using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Console.Shared;
using Kohakku.Workflows.Definitions;
using MudBlazor;

namespace Kohakku.Controller.Console.Graph;

/// <summary>A step as the graph shows it.</summary>
/// <param name="State">In words; null: it is only planned.</param>
/// <param name="Count">Of a fan-out.</param>
public sealed record StepMark(string Id, StepKind Kind, IReadOnlyList<string> Needs, bool IsApart, string? State, string Tone, string? Count)
{
    public static IReadOnlyList<StepMark> Of(WorkflowDefinition definition) =>
    [
        .. definition.Steps.Select(step => new StepMark(
            step.Id, step.Kind, step.Needs, step.Id == definition.OnFailure, null, "calm", step.ForEach is not null ? "for each" : step.BestOf is { } best ? $"best of {best.Count}" : null)),
    ];

    public static IReadOnlyList<StepMark> Of(WorkflowDefinition definition, RunView run) =>
    [
        .. definition.Steps.Zip(run.Steps, (step, live) => new StepMark(
            step.Id, step.Kind, step.Needs, step.Id == definition.OnFailure, StateWords.Of(live.Status), StateWords.Tone(live.Status),
            step.ForEach is null ? null : live.Items is { } items ? $"{live.Succeeded + live.Failed}/{items}" : "for each")),
    ];

    public string Label => string.Join(", ", new[] { Id, Words(Kind), State?.ToLowerInvariant(), Count, IsApart ? "only when the run fails" : null }.OfType<string>());

    public static string Words(StepKind kind) => kind switch
    {
        StepKind.Agent => "agent task",
        StepKind.Workflow => "sub-workflow",
        _ => WireEnum<StepKind>.NameOf(kind),
    };

    public static string Icon(StepKind kind) => kind switch
    {
        StepKind.Agent => Icons.Material.Rounded.SmartToy,
        StepKind.Approval => Icons.Material.Rounded.HowToReg,
        StepKind.Wait => Icons.Material.Rounded.HourglassBottom,
        StepKind.Workflow => Icons.Material.Rounded.AccountTree,
        StepKind.Webhook => Icons.Material.Rounded.Webhook,
        _ => Icons.Material.Rounded.Sensors,
    };
}
