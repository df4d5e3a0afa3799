using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Templates;

namespace Kohakku.Controller.Schedules;

/// <summary>What a schedule must be; every fault is named. Whether its agent or workflow is there shows when it fires: it may be made later.</summary>
internal static class ScheduleRules
{
    public const int LongestCatchUpSeconds = 30 * 86_400;
    private const int LongestJitterSeconds = 86_400;
    private const int LargestTargetBytes = 2 * 1024 * 1024;

    public static bool IsName(string name) => AgentRules.IsName(name);

    public static void Check(string name, PutSchedule schedule, DateTimeOffset now, Faults faults)
    {
        if (!IsName(name)) faults.Add("name", AgentRules.NameRule);
        try
        {
            _ = Cadence.Of(schedule.Cron, schedule.Every, schedule.TimeZone ?? "UTC", schedule.StartAt, schedule.EndAt);
        }
        catch (CadenceException fault)
        {
            faults.Add(fault.Field, fault.Message);
        }

        if (schedule.EndAt <= schedule.StartAt) faults.Add("endAt", "must be after startAt");
        LimitRules.Range(schedule.CatchUpWindowSeconds, 0, LongestCatchUpSeconds, "catchUpWindowSeconds", faults);
        LimitRules.Range(schedule.JitterSeconds, 0, LongestJitterSeconds, "jitterSeconds", faults);
        CheckTarget(schedule.Target, now, faults);
    }

    private static void CheckTarget(ScheduleTarget? target, DateTimeOffset now, Faults faults)
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
            // A title or a brief that is a template may come to another length; what it comes to is checked again when it fires.
            if (SubmitRules.IsBriefTooLarge(task)) faults.Add("target.task.brief", "must be at most 1 MiB of UTF-8");
            else SubmitRules.Check(task, "target.task.", now, faults);
        }

        var json = JsonSerializer.SerializeToElement(target, ContractsJson.Default.ScheduleTarget);
        if (json.GetRawText().Length > LargestTargetBytes) faults.Add("target", "must be at most 2 MiB of JSON");
        CheckTemplates(json, "target", faults);
    }

    private static void CheckTemplates(JsonElement tree, string path, Faults faults)
    {
        switch (tree.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in tree.EnumerateObject()) CheckTemplates(property.Value, $"{path}.{property.Name}", faults);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in tree.EnumerateArray()) CheckTemplates(item, $"{path}[{index++}]", faults);
                break;
            case JsonValueKind.String when Template.Check(tree.GetString()!) is { } fault:
                faults.Add(path, fault);
                break;
        }
    }
}
