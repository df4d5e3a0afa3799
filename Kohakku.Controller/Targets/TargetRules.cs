using System.Text.Json;
using Kohakku.Contracts.Targets;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Templates;

namespace Kohakku.Controller.Targets;

/// <summary>What a target must be; every fault is named. Whether its agent or workflow is there shows when it begins: it may be made later.</summary>
internal static class TargetRules
{
    private const int LargestBytes = 2 * 1024 * 1024;

    public static void Check(WorkTarget? target, DateTimeOffset now, Faults faults)
    {
        if (target is null)
        {
            faults.Add("target", "is required");
            return;
        }

        if (target.Task is null == target.Workflow is null) faults.Add("target", "must have a task or a workflow, and not both");
        if (target.Inputs is { } inputs && (target.Workflow is null || inputs.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null)))
            faults.Add("target.inputs", target.Workflow is null ? "goes with a workflow; a task has inputs of its own" : "must be an object");
        if (target.Workflow is { } workflow && !AgentRules.IsName(workflow)) faults.Add("target.workflow", AgentRules.NameRule);
        if (target.Task is { } task)
        {
            // A title or a brief that is a template may come to another length; what it comes to is checked again when it begins.
            if (SubmitRules.IsBriefTooLarge(task)) faults.Add("target.task.brief", "must be at most 1 MiB of UTF-8");
            else SubmitRules.Check(task, "target.task.", now, faults);
        }

        var json = TargetTexts.Json(target);
        if (json.GetRawText().Length > LargestBytes) faults.Add("target", "must be at most 2 MiB of JSON");
        foreach (var (path, text) in TargetTexts.Of(json))
        {
            if (Template.Check(text) is { } fault) faults.Add(path, fault);
        }
    }
}
