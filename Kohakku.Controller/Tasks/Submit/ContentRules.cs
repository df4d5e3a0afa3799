using System.Runtime.InteropServices;
using System.Text.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>What is to be done, and by whom: title, brief, agent, skills, inputs.</summary>
internal static class ContentRules
{
    public const int MaxTitleLength = 200;
    private const int MaxInputBytes = 16 * 1024 * 1024;
    private const int MaxSkills = 50;

    public static void Check(SubmitTask task, string prefix, Faults faults)
    {
        if (task.Title is not null && TextRules.Line(task.Title, MaxTitleLength) is { } titleRule) faults.Add($"{prefix}title", titleRule);
        if (string.IsNullOrWhiteSpace(task.Brief)) faults.Add($"{prefix}brief", "is required");
        else if (TextRules.Prose(task.Brief) is { } briefRule) faults.Add($"{prefix}brief", briefRule);
        if (string.IsNullOrEmpty(task.Agent)) faults.Add($"{prefix}agent", "is required");
        else if (!AgentRules.IsName(task.Agent)) faults.Add($"{prefix}agent", AgentRules.NameRule);
        if (task.Inputs is { } inputs && InputsFault(inputs) is { } inputsRule) faults.Add($"{prefix}inputs", inputsRule);
        CheckSkills(task.Skills, $"{prefix}skills", faults);
    }

    private static void CheckSkills(IReadOnlyList<string>? skills, string field, Faults faults)
    {
        if (skills is null) return;
        if (skills.Count > MaxSkills) faults.Add(field, $"must name at most {MaxSkills} skills");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < Math.Min(skills.Count, MaxSkills); i++)
        {
            if (!SkillReference.TryParse(skills[i], out var reference)) faults.Add($"{field}[{i}]", SkillReference.Rule);
            else if (!names.Add(reference.Name)) faults.Add($"{field}[{i}]", $"names the skill '{reference.Name}' again");
        }
    }

    private static string? InputsFault(JsonElement inputs)
    {
        if (inputs.ValueKind == JsonValueKind.Null) return null;
        if (inputs.ValueKind != JsonValueKind.Object) return "must be an object";
        var text = JsonMarshal.GetRawUtf8Value(inputs);
        if (text.Length > MaxInputBytes) return $"must be at most {MaxInputBytes / (1024 * 1024)} MiB";
        // Only an escape can stand for what no text holds.
        return text.IndexOf("\\u"u8) >= 0 && !IsText(inputs) ? "must not contain the character U+0000, nor half a surrogate pair" : null;
    }

    private static bool IsText(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().All(property => IsText(() => property.Name) && IsText(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().All(IsText),
        JsonValueKind.String => IsText(() => element.GetString()!),
        _ => true,
    };

    private static bool IsText(Func<string> read)
    {
        try
        {
            return !read().Contains('\0');
        }
        catch (InvalidOperationException)
        {
            // The reader says so of an unpaired surrogate.
            return false;
        }
    }
}
