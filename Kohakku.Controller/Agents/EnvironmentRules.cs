using System.Text.RegularExpressions;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Agents;

/// <summary>Environment variables that an agent or a task gives to the agent's process.</summary>
internal static partial class EnvironmentRules
{
    private const int MaxVariables = 200;
    private const int MaxNameLength = 200;
    /// <summary>Linux takes 128 KiB for one variable.</summary>
    private const int MaxValueLength = 32 * 1024;
    private const int MaxTotalLength = 256 * 1024;

    public static void Check(IReadOnlyDictionary<string, string>? variables, string field, Faults faults)
    {
        if (variables is null) return;
        if (variables.Count > MaxVariables) faults.Add(field, $"must have at most {MaxVariables} variables");
        if (variables.Sum(variable => variable.Key.Length + (variable.Value?.Length ?? 0)) > MaxTotalLength)
            faults.Add(field, $"must be at most {MaxTotalLength / 1024} KiB in all");
        foreach (var (name, value) in variables.Take(MaxVariables))
        {
            if (NameFault(name) is { } rule) faults.Add($"{field}.{name}", rule);
            if (value is null) faults.Add($"{field}.{name}", "must be text");
            else if (value.Length > MaxValueLength) faults.Add($"{field}.{name}", $"must be at most {MaxValueLength} characters");
            else if (value.Any(character => char.IsControl(character) && character is not ('\n' or '\r' or '\t')))
                faults.Add($"{field}.{name}", "must not contain control characters other than line ends and tabs");
        }
    }

    private static string? NameFault(string name)
    {
        if (name.Length > MaxNameLength || !Name().IsMatch(name))
            return $"must be named with letters, digits and _, not beginning with a digit, at most {MaxNameLength} characters";
        return name.StartsWith("KOHAKKU_", StringComparison.Ordinal) ? "must not begin with KOHAKKU_, which is Kohakku's own" : null;
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
