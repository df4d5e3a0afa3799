using System.Security.Cryptography;
using System.Text;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Failures;

/// <summary>
/// What makes failures the same: the reason, the agent, and the last error lines without what differs each time (see <see cref="FoldedText"/>).
/// Pure, in time linear to the text, of which at most 64 Ki characters are looked at.
/// </summary>
/// <param name="Value">16 lower-case hex digits.</param>
/// <param name="Title">The telling line as it was written, at most 200 characters.</param>
internal sealed record FailureFingerprint(string Value, string Title)
{
    // Part of what is hashed: whoever changes how lines are chosen or folded counts it up, so that the groups of before stay what they were.
    private const string Version = "1";
    private const int Digits = 16;
    private const int LongestTitle = 200;

    public static FailureFingerprint Of(FailureReason reason, string agent, string? message, string? logTail)
    {
        var said = ErrorLines.Of(message);
        var logged = SpeaksByLog(reason, said) ? ErrorLines.Of(logTail) : [];
        IEnumerable<string> parts = [Version, WireEnum<FailureReason>.NameOf(reason), agent, .. said.Select(line => line.Folded), .. logged.Select(line => line.Folded)];
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts)));
        var telling = logged.Count > 0 ? logged[^1].Text : said.Count > 0 ? said[^1].Text : $"{WireEnum<FailureReason>.NameOf(reason)}, without a word of what happened";
        return new FailureFingerprint(Convert.ToHexStringLower(hash)[..Digits], TitleOf(telling));
    }

    /// <summary>
    /// An exit code alone says nothing. Where an agent was cut off (its time was up, its dispatcher vanished) its log tells what it was doing, not what
    /// went wrong; where it says itself what went wrong, the log adds only noise.
    /// </summary>
    private static bool SpeaksByLog(FailureReason reason, IReadOnlyList<ErrorLine> said) => reason switch
    {
        FailureReason.AgentExit or FailureReason.VerifyFailed => true,
        FailureReason.AgentError or FailureReason.InvalidResult or FailureReason.StartFailed => said.Count == 0,
        _ => false,
    };

    private static string TitleOf(string line)
    {
        var title = FoldedText.WithoutLeadingTime(line);
        if (title.Length > LongestTitle) title = $"{title[..(LongestTitle - 1)]}…";
        // Half of a surrogate pair, as the cut may leave one, is nothing that the database takes.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(title));
    }
}
