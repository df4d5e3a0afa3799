using System.Globalization;
using Fluid;
using Fluid.Values;

namespace Kohakku.Workflows.Templates.Values;

/// <summary>Puts a <see cref="TemplateScope"/> where a template finds it.</summary>
internal static class ScopeValues
{
    public static readonly IReadOnlyList<string> Roots = ["inputs", "run", "steps", "item", "index", "candidates", "now"];
    public static readonly IReadOnlyList<string> RunNames = ["id", "status", "workflow", "version", "started_at", "failure"];
    public static readonly IReadOnlyList<string> StepNames = ["status", "output", "outputs", "succeeded", "failed"];
    private static readonly IReadOnlyList<string> FailureNames = ["step", "message"];

    public static void Set(TemplateContext context, TemplateScope scope)
    {
        foreach (var (name, value) in scope.Others) context.SetValue(name, JsonValues.Of(value));
        if (scope.Inputs is { } inputs) context.SetValue("inputs", JsonValues.Of(inputs));
        if (scope.Run is { } run) context.SetValue("run", new RecordMap(RunNames, name => Run(run, name)));
        context.SetValue("steps", new RecordMap([.. scope.Steps.Keys], id => scope.Steps.TryGetValue(id, out var step) ? Step(step) : null));
        context.SetValue("now", Time(context.Now()));
        if (scope.Item is { } item) context.SetValue("item", JsonValues.Of(item));
        if (scope.Index is { } index) context.SetValue("index", NumberValue.Create((decimal)index));
        if (scope.Candidates is { } candidates) context.SetValue("candidates", JsonValues.Of(candidates));
    }

    private static FluidValue? Run(RunFacts run, string name) => name switch
    {
        "id" => new StringValue(run.Id.ToString()),
        "status" => new StringValue(run.Status),
        "workflow" => new StringValue(run.Workflow),
        "version" => NumberValue.Create((decimal)run.Version),
        "started_at" => Time(run.StartedAt),
        "failure" => run.Failure is { } failure ? new RecordMap(FailureNames, part => Failure(failure, part)) : NilValue.Instance,
        _ => null,
    };

    private static FluidValue? Failure(RunFailure failure, string name) => name switch
    {
        "step" => failure.Step is { } step ? new StringValue(step) : NilValue.Instance,
        "message" => new StringValue(failure.Message),
        _ => null,
    };

    private static RecordMap Step(StepValue step) => new(StepNames, name => name switch
    {
        "status" => new StringValue(step.Status),
        "output" => step.Outputs is { } outputs ? JsonValues.Of(outputs) : JsonValues.Of(step.Output),
        "outputs" => step.Outputs is { } outputs ? JsonValues.Of(outputs) : NilValue.Instance,
        "succeeded" => NumberValue.Create((decimal)step.Succeeded),
        "failed" => NumberValue.Create((decimal)step.Failed),
        _ => null,
    });

    // Text, as times are in every JSON of ours; the filter `date` takes it.
    private static StringValue Time(DateTimeOffset time) => new(time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
}
