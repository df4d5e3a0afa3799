using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>Where a task may run and how it is found again: labels and tags.</summary>
internal static class PlacementRules
{
    private const int MaxLabels = 64;
    private const int MaxTags = 64;
    private const int MaxLength = 100;

    public static void Check(SubmitTask task, string prefix, Faults faults)
    {
        CheckLabels(task.Labels, $"{prefix}labels", faults);
        CheckTags(task.Tags, $"{prefix}tags", faults);
    }

    private static void CheckLabels(IReadOnlyDictionary<string, string>? labels, string field, Faults faults)
    {
        if (labels is null) return;
        if (labels.Count > MaxLabels) faults.Add(field, $"must be at most {MaxLabels}");
        foreach (var (name, value) in labels.Take(MaxLabels))
        {
            // DISPATCHER_LABELS=gpu=true,zone=a could not say such a name.
            if (TextRules.Line(name, MaxLength) is { } nameRule) faults.Add($"{field}.{name}", $"its name {nameRule}");
            else if (name.AsSpan().ContainsAny('=', ',')) faults.Add($"{field}.{name}", "its name must not contain '=' or ','");
            if (TextRules.LineOrEmpty(value, MaxLength) is { } valueRule) faults.Add($"{field}.{name}", valueRule);
        }
    }

    private static void CheckTags(IReadOnlyList<string>? tags, string field, Faults faults)
    {
        if (tags is null) return;
        if (tags.Count > MaxTags) faults.Add(field, $"must be at most {MaxTags}");
        for (var i = 0; i < Math.Min(tags.Count, MaxTags); i++)
        {
            if (TextRules.Line(tags[i], MaxLength) is { } rule) faults.Add($"{field}[{i}]", rule);
        }
    }
}
