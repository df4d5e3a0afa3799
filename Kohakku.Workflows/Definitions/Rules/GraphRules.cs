using Kohakku.Workflows.Definitions.Reading;

namespace Kohakku.Workflows.Definitions.Rules;

/// <summary>The rules between steps: ids, needs, the step for failures.</summary>
internal static class GraphRules
{
    public static void Check(WorkflowDefinition definition, IReadOnlyList<StepDraft> steps, Fields document, FaultList faults)
    {
        var byId = new Dictionary<string, StepDraft>(StringComparer.Ordinal);
        foreach (var step in steps.Where(step => step.Definition.Id.Length > 0))
        {
            if (!byId.TryAdd(step.Definition.Id, step)) faults.Add(step.Fields!.Find("id")!, $"{step.Path}.id", $"is the id of {byId[step.Definition.Id].Path} already");
        }

        foreach (var step in steps.Where(step => step.Fields is not null)) CheckNeeds(step, byId, definition.OnFailure, faults);
        foreach (var cycle in StepOrder.Cycles(definition.Steps))
        {
            var first = cycle.Select(id => byId[id]).MinBy(step => step.Index)!;
            // Begun at the step that comes first, however it was found.
            var turn = cycle.Skip(1).ToList();
            var at = turn.IndexOf(first.Definition.Id);
            var told = turn.Skip(at).Concat(turn.Take(at)).Append(first.Definition.Id);
            faults.Add(first.Fields!.Find("needs")!, $"{first.Path}.needs", $"must not go round in a circle: {string.Join(" → ", told)}");
        }

        CheckOnFailure(definition, byId, document, faults);
    }

    private static void CheckNeeds(StepDraft step, Dictionary<string, StepDraft> byId, string? onFailure, FaultList faults)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (need, node, path) in step.Fields!.Texts("needs"))
        {
            if (!byId.ContainsKey(need)) faults.Add(node, path, $"names the step `{need}`, which there is not{Nearest.Hint(need, byId.Keys)}");
            else if (need == onFailure) faults.Add(node, path, $"must not name `{need}`, which runs only when the run fails");
            else if (!seen.Add(need)) faults.Add(node, path, $"names `{need}` twice");
        }
    }

    private static void CheckOnFailure(WorkflowDefinition definition, Dictionary<string, StepDraft> byId, Fields document, FaultList faults)
    {
        if (definition.OnFailure is not { } id) return;
        if (!byId.TryGetValue(id, out var step))
        {
            faults.Add(document.Find("on_failure")!, "on_failure", $"names the step `{id}`, which there is not{Nearest.Hint(id, byId.Keys)}");
            return;
        }

        foreach (var key in (string[])["needs", "if"])
        {
            if (step.Fields!.FindKey(key) is { } node && !(key == "needs" && step.Definition.Needs.Count == 0))
                faults.Add(node, $"{step.Path}.{key}", "does not go with the step of `on_failure`, which stands outside the graph");
        }

        if (byId.Count == 1) faults.Add(document.Find("steps")!, "steps", "must have at least one step beside that of `on_failure`");
    }
}
