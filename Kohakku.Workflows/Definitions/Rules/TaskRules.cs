using System.Globalization;
using System.Text.Json;
using Kohakku.Workflows.Definitions.Reading;
using Kohakku.Workflows.Templates;

namespace Kohakku.Workflows.Definitions.Rules;

/// <summary>
/// The controller's rules for a task, as far as a document can break them: better told when it is put than when a run is half done. The controller checks
/// each task again, with its templates rendered.
/// </summary>
internal static class TaskRules
{
    private const int MaxTitle = 200;
    private const int MaxSkills = 50;
    private const int MaxPlaces = 64;
    private const int MaxPlaceLength = 100;
    private const int MaxVariables = 200;
    private const int MaxValueLength = 32 * 1024;

    public static void Check(Fields step, DocumentReading reading)
    {
        var faults = reading.Faults;
        if (step.Find("title") is { Kind: NodeKind.Scalar } title && !CompiledTemplate.IsTemplate(title.Text) && LineFault(title.Text, MaxTitle) is { } titleRule)
            faults.Add(title, step.At("title"), titleRule);
        CheckSkills(step, faults);
        CheckPlaces(step, faults);
        CheckVariables(step, faults);
    }

    public static JsonElement? Resources(Fields step, DocumentReading reading)
    {
        if (step.Find("resources") is not { } node || Fields.Of(node, step.At("resources"), Keys.Resources, reading) is not { } fields) return null;
        if (fields.Find("cpu") is { } cpu)
        {
            var number = cpu is { Kind: NodeKind.Scalar, IsPlain: true } ? CoreSchema.Number(cpu.Text) : null;
            if (!decimal.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var cores) || cores is not (> 0 and <= 256))
                reading.Faults.Add(cpu, fields.At("cpu"), "must be a number above 0 and at most 256");
        }

        fields.Integer("memoryMb", 16, 1_048_576);
        fields.Integer("pids", 8, 65_536);
        return JsonTree.Of(node, fields.Path, reading);
    }

    public static JsonElement? Network(Fields step, DocumentReading reading)
    {
        if (step.Find("network") is not { } node || Fields.Of(node, step.At("network"), Keys.Network, reading) is not { } fields) return null;
        var mode = fields.Text("mode", required: true);
        if (mode == "allow") reading.Faults.Add(fields.Find("mode")!, fields.At("mode"), "'allow' is not in this release; it takes none or internet");
        else if (mode is not (null or "none" or "internet")) reading.Faults.Add(fields.Find("mode")!, fields.At("mode"), "must be none or internet");
        else if (fields.Texts("allow") is [_, ..]) reading.Faults.Add(fields.FindKey("allow")!, fields.At("allow"), "goes with the mode 'allow' only, which is not in this release");
        return JsonTree.Of(node, fields.Path, reading);
    }

    private static void CheckSkills(Fields step, FaultList faults)
    {
        var skills = step.Texts("skills");
        if (skills.Count > MaxSkills) faults.Add(step.Find("skills")!, step.At("skills"), $"must name at most {MaxSkills} skills");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (text, node, path) in skills)
        {
            if (!Names.IsSkill(text)) faults.Add(node, path, Names.SkillRule);
            else if (!seen.Add(text.Split('@')[0])) faults.Add(node, path, $"names the skill `{text.Split('@')[0]}` again");
        }
    }

    private static void CheckPlaces(Fields step, FaultList faults)
    {
        var labels = step.Pairs("labels");
        if (labels.Count > MaxPlaces) faults.Add(step.Find("labels")!, step.At("labels"), $"must be at most {MaxPlaces}");
        foreach (var (name, text, entry, path) in labels)
        {
            if (LineFault(name, MaxPlaceLength) is { } rule) faults.Add(entry.Key, path, $"its name {rule}");
            else if (name.AsSpan().ContainsAny('=', ',')) faults.Add(entry.Key, path, "its name must not contain '=' or ','");
            if (text.Length > 0 && LineFault(text, MaxPlaceLength) is { } valueRule) faults.Add(entry.Value, path, valueRule);
        }

        var tags = step.Texts("tags");
        if (tags.Count > MaxPlaces) faults.Add(step.Find("tags")!, step.At("tags"), $"must be at most {MaxPlaces}");
        foreach (var (text, node, path) in tags)
        {
            if (LineFault(text, MaxPlaceLength) is { } rule) faults.Add(node, path, rule);
        }
    }

    private static void CheckVariables(Fields step, FaultList faults)
    {
        var variables = step.Pairs("env");
        if (variables.Count > MaxVariables) faults.Add(step.Find("env")!, step.At("env"), $"must have at most {MaxVariables} variables");
        foreach (var (name, text, entry, path) in variables)
        {
            if (!Names.IsVariable(name)) faults.Add(entry.Key, path, Names.VariableRule);
            else if (name.StartsWith("KOHAKKU_", StringComparison.Ordinal)) faults.Add(entry.Key, path, "must not begin with KOHAKKU_, which is Kohakku's own");
            if (text.Length > MaxValueLength) faults.Add(entry.Value, path, $"must be at most {MaxValueLength} characters");
            else if (text.Any(character => char.IsControl(character) && character is not ('\n' or '\r' or '\t')))
                faults.Add(entry.Value, path, "must not contain control characters other than line ends and tabs");
        }
    }

    private static string? LineFault(string text, int maxLength)
    {
        if (string.IsNullOrWhiteSpace(text)) return "must not be empty";
        if (text.Length > maxLength) return $"must be at most {maxLength} characters";
        return text.Any(char.IsControl) ? "must not contain control characters" : null;
    }
}
