using System.Text.RegularExpressions;

namespace Kohakku.Controller.Failures;

/// <param name="Text">As it was written, but for terminal codes.</param>
/// <param name="Folded">Without what differs each time.</param>
internal sealed record ErrorLine(string Text, string Folded);

/// <summary>Chooses the lines of a message or a log that say what went wrong.</summary>
internal static class ErrorLines
{
    /// <summary>The end counts: an error that ends something is the last thing said.</summary>
    private const int MostText = 64 * 1024;

    /// <summary>The more lines, the more often one differs by chance, and with it the group.</summary>
    private const int MostLines = 2;

    private static readonly Regex Telling = FoldedText.Pattern(
        "error|exception|fail|fatal|panic|denied|refused|rejected|not found|no such|cannot|can't|could not|unable|timed out|timeout|killed|invalid|illegal|abort|unexpected|missing|undefined",
        RegexOptions.IgnoreCase);

    /// <summary>The last two different ones that look like errors, else the last two; the last one last. None where there is no text.</summary>
    public static IReadOnlyList<ErrorLine> Of(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return [];
        var lines = FoldedText.Clean(text.Length <= MostText ? text : text[^MostText..])
            .Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var errors = Last(lines.Where(IsTelling));
        return errors.Count > 0 ? errors : Last(lines);
    }

    /// <summary>An error said again and again, with another number each time, is one.</summary>
    private static List<ErrorLine> Last(IEnumerable<string> lines)
    {
        List<ErrorLine> last = [];
        foreach (var line in lines.Reverse())
        {
            var folded = FoldedText.Of(line);
            if (last.Exists(known => known.Folded == folded)) continue;
            last.Insert(0, new ErrorLine(line, folded));
            if (last.Count == MostLines) break;
        }

        return last;
    }

    private static bool IsTelling(string line) => !IsStackFrame(line) && Telling.IsMatch(line);

    /// <summary>Names of functions and files often have "error" in them: <c>at Parser.ThrowError()</c>, <c>File "errors.py", line 3</c>.</summary>
    private static bool IsStackFrame(string line) =>
        line.StartsWith("at ", StringComparison.Ordinal) || line.StartsWith("File \"", StringComparison.Ordinal);
}
