using System.Buffers;

namespace Kohakku.Workflows.Definitions.Rules;

/// <summary>What things may be called.</summary>
internal static class Names
{
    public const string WorkflowRule = "must be 1 to 63 of a-z, 0-9 and inner hyphens";
    public const string StepRule = "must be 1 to 63 letters, digits and _, not beginning with a digit";
    public const string InputRule = StepRule;
    public const string SignalRule = "must be 1 to 63 letters, digits, _ and -, beginning with a letter or _";
    public const string AgentRule = "must be 1 to 63 of a-z, 0-9 and hyphens, beginning with a letter or digit";
    public const string SkillRule = "must be name or name@version, like git or git@2";
    public const string VariableRule = "must be named with letters, digits and _, not beginning with a digit, at most 200 characters";
    private const int MaxLength = 63;
    private static readonly SearchValues<char> Lower = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
    private static readonly SearchValues<char> Word = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    private static readonly SearchValues<char> WordOrHyphen = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    private static readonly SearchValues<char> Token = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~");

    public static bool IsWorkflow(string name) => IsAgent(name) && name[0] != '-' && name[^1] != '-';

    /// <summary>As the controller's own rule for an agent's name.</summary>
    public static bool IsAgent(string name) => name.Length is >= 1 and <= MaxLength && !name.AsSpan().ContainsAnyExcept(Lower) && name[0] != '-';

    public static bool IsStep(string name) => IsWord(name, MaxLength);

    public static bool IsInput(string name) => IsWord(name, MaxLength);

    public static bool IsSignal(string name) =>
        name.Length is >= 1 and <= MaxLength && !name.AsSpan().ContainsAnyExcept(WordOrHyphen) && name[0] is not ('-' or (>= '0' and <= '9'));

    public static bool IsVariable(string name) => IsWord(name, 200);

    public static bool IsHeader(string name) => name.Length is >= 1 and <= 200 && !name.AsSpan().ContainsAnyExcept(Token);

    /// <summary>As a task names it: <c>git</c>, the newest version, or <c>git@2</c>.</summary>
    public static bool IsSkill(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var name = at < 0 ? text : text[..at];
        if (at >= 0 && !(int.TryParse(text.AsSpan(at + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var version) && version >= 1)) return false;
        return name.Length is >= 1 and <= 64 && !name.AsSpan().ContainsAnyExcept(Lower) && !name.StartsWith('-') && !name.EndsWith('-')
            && !name.Contains("--", StringComparison.Ordinal);
    }

    private static bool IsWord(string name, int max) => name.Length >= 1 && name.Length <= max && !name.AsSpan().ContainsAnyExcept(Word) && !char.IsAsciiDigit(name[0]);
}
