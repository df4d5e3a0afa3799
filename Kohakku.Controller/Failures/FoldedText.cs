using System.Text.RegularExpressions;

namespace Kohakku.Controller.Failures;

/// <summary>
/// Takes out of a line what differs from one failure to the next although it is the same failure:
/// <code>
///   2026-01-31T12:00:00Z [17] GET https://host-3/v1/users/8 failed after 1m3s: /tmp/x1/a.json, id 0199b1de-…
///   &lt;time&gt; [#] GET https://host-#&lt;path&gt; failed after &lt;time&gt;: &lt;path&gt;, id #
/// </code>
/// Every pattern is matched without backtracking, in time linear to the text: agents write what they like.
/// </summary>
internal static class FoldedText
{
    /// <summary>Enough to tell errors apart; cut after folding, so that long numbers don't move the cut.</summary>
    private const int Longest = 400;

    private const string Time = "<time>";
    private const string Path = "<path>";
    private const string Number = "#";

    private const string TimePattern =
        @"[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?)?(?: ?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
        + @"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* [0-9]{1,2}(?:,? [0-9]{4})?(?: [0-9]{2}:[0-9]{2}:[0-9]{2})?\b"
        // Three parts: two may be a line and a column.
        + @"|\b[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?\b";

    private const string Duration =
        @"[0-9]+(?:[.,][0-9]+)? ?(?:nanoseconds?|microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|secs?|mins?|hrs?|ns|us|µs|μs|ms|s|m|h|d)";

    private static readonly Regex Escapes = Pattern(@"\x1B(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1B\n]*(?:\x07|\x1B\\)?|[@-Z\\^_])");
    private static readonly Regex Blanks = Pattern(@"[\x00-\x09\x0B\x0C\x0E-\x20\x7F-\x9F]+");
    private static readonly Regex Addresses = Pattern(@"\b([A-Za-z][A-Za-z0-9+.-]{0,20}://[^/\s""'<>()]*)(?:/[^\s""'<>()]*)?");
    private static readonly Regex Times = Pattern(TimePattern);
    private static readonly Regex LeadingTime = Pattern($@"^[\[(]?(?:{TimePattern})[\])]?[\s:,-]*");
    private static readonly Regex Ids = Pattern("[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}");
    private static readonly Regex Hashes = Pattern(@"\b[0-9A-Fa-f]{7,}\b");
    private static readonly Regex Files = Pattern(@"(^|[\s""'`=(\[{<,:;|])(?:~|\.{1,2})?(?:/[^\s""'`/:;,()\[\]{}<>|=]+)+/?");
    private static readonly Regex WindowsFiles = Pattern(@"\b[A-Za-z]:\\[^\s""'<>|:*?]*");
    private static readonly Regex Durations = Pattern($@"\b{Duration}(?: ?{Duration})*\b");
    private static readonly Regex Words = Pattern("[0-9A-Za-z]+(?:[.,][0-9]+)*");
    private static readonly Regex Numbers = Pattern("[0-9]+(?:[.,][0-9]+)*");

    public static Regex Pattern(string pattern, RegexOptions more = RegexOptions.None) =>
        new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | more);

    /// <summary>Without colours, cursor movements and other controls, but with its line ends.</summary>
    public static string Clean(string text) => Blanks.Replace(Escapes.Replace(text, ""), " ");

    public static string WithoutLeadingTime(string line) => LeadingTime.Replace(line, "") is { Length: > 0 } rest ? rest : line;

    public static string Of(string line)
    {
        var folded = Addresses.Replace(line, $"$1{Path}");
        // Before the others: a folder may be named after a day or an id.
        folded = Files.Replace(folded, $"$1{Path}");
        folded = WindowsFiles.Replace(folded, Path);
        folded = Ids.Replace(folded, Number);
        folded = Times.Replace(folded, Time);
        // Before durations: 0059058d is no number of days.
        folded = Hashes.Replace(folded, static hash => hash.ValueSpan.ContainsAnyExceptInRange('0', '9') ? Number : hash.Value);
        folded = Durations.Replace(folded, Time);
        folded = Words.Replace(folded, static word => IsId(word.ValueSpan) ? Number : Numbers.Replace(word.Value, Number));
        return folded.Length > Longest ? folded[..Longest] : folded;
    }

    /// <summary>
    /// A hash, an address in memory, or what else is made by chance: at least 7 hex digits, a long mixture of digits and letters, or letters with digits
    /// here and there. A word of digits alone is a number, and folds the same.
    /// </summary>
    private static bool IsId(ReadOnlySpan<char> word)
    {
        if (word.ContainsAny('.', ',')) return false;
        if (word.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) return true;
        var (hexDigits, digitRuns) = (0, 0);
        for (var place = 0; place < word.Length; place++)
        {
            if (char.IsAsciiHexDigit(word[place])) hexDigits++;
            if (char.IsAsciiDigit(word[place]) && (place == 0 || !char.IsAsciiDigit(word[place - 1]))) digitRuns++;
        }

        return (hexDigits == word.Length && word.Length >= 7) || (word.Length >= 12 && digitRuns > 0) || digitRuns >= 2;
    }
}
