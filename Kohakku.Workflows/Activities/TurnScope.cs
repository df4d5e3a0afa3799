using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Interpreter;
using Kohakku.Workflows.Templates;

namespace Kohakku.Workflows.Activities;

/// <summary>What the templates of a run see.</summary>
internal static class TurnScope
{
    /// <param name="turn">Null for what happens outside of turns.</param>
    public static TemplateScope Of(RunTexts texts, LoadedRun? loaded, Turn? turn) => new()
    {
        Inputs = texts.Run.Inputs,
        Run = new RunFacts(
            texts.Run.Id, WireEnum<RunState>.NameOf(turn?.Ending ?? turn?.Run ?? RunState.Running), texts.Run.Workflow, texts.Run.Version, texts.Run.StartedAt,
            turn?.Failure is { } failure ? new RunFailure(turn.FailedStep is { } step ? texts.Definition.Steps[step].Id : null, failure) : null),
        Steps = (loaded?.Values ?? []).ToDictionary(step => texts.Definition.Steps[step.Step].Id, step => Value(Now(step, turn))),
    };

    /// <summary>The scope of one unit.</summary>
    public static TemplateScope Of(RunTexts texts, LoadedRun? loaded, Turn? turn, int step, int item)
    {
        var scope = Of(texts, loaded, turn);
        var array = loaded?.Items.FirstOrDefault(items => items.Step == step)?.Array;
        return array is { } items ? scope with { Item = items[item], Index = item } : scope;
    }

    /// <summary>What the turn says of a step is not written yet.</summary>
    private static LoadedStep Now(LoadedStep step, Turn? turn) => turn?.Steps.LastOrDefault(record => record.Step == step.Step) is { } record
        ? step with { State = record.State, Succeeded = record.Succeeded, Failed = record.Failed }
        : step;

    private static StepValue Value(LoadedStep step) => step.FansOut
        ? new StepValue { Status = WireEnum<StepState>.NameOf(step.State), Outputs = step.Outputs, Succeeded = step.Succeeded, Failed = step.Failed }
        : new StepValue
        {
            Status = WireEnum<StepState>.NameOf(step.State), Output = step.Outputs is [var only, ..] ? only : null, Succeeded = step.Succeeded, Failed = step.Failed,
        };
}
