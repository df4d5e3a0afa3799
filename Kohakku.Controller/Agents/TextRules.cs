namespace Kohakku.Controller.Agents;

/// <summary>What text may hold. Each answers the rule that is broken, or null.</summary>
internal static class TextRules
{
    /// <summary>Names, labels, tags: one line, not empty.</summary>
    public static string? Line(string? text, int maxLength)
    {
        if (string.IsNullOrWhiteSpace(text)) return "must not be empty";
        if (text.Length > maxLength) return $"must be at most {maxLength} characters";
        return HasControls(text) ? "must not contain control characters" : null;
    }

    /// <summary>As <see cref="Line"/>, or empty.</summary>
    public static string? LineOrEmpty(string? text, int maxLength) => text is { Length: 0 } ? null : text is null ? "must not be null" : Line(text, maxLength);

    /// <summary>Prose and values: line ends and tabs are fine; NUL can be kept neither in Postgres nor in an environment.</summary>
    public static string? Prose(string text) => text.Contains('\0') ? "must not contain the character U+0000" : null;

    private static bool HasControls(string text)
    {
        foreach (var character in text)
        {
            if (char.IsControl(character)) return true;
        }

        return false;
    }
}
