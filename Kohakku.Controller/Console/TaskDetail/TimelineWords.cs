using System.Globalization;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Console.Shared;

namespace Kohakku.Controller.Console.TaskDetail;

/// <summary>Puts an entry of a timeline into words; what it does not know it shows by its type, since newer dispatchers may send more.</summary>
internal static class TimelineWords
{
    /// <returns>What happened, and what more is to say; the style class of its dot.</returns>
    public static (string Title, string? Detail, string Tone) Of(TaskEventView entry) => entry.Type switch
    {
        "task.submitted" => ("Submitted", null, "calm"),
        "task.queued" => ("Queued", null, "soon"),
        "task.scheduled" => ("Scheduled", Joined(Due(entry), Text(entry, "why") is { } why && why != "notBefore" ? why : null), "calm"),
        "task.canceling" => ("Cancel asked for", Text(entry, "by"), "wait"),
        "task.retried" => ("Retried by hand", Text(entry, "by"), "soon"),
        "task.question" => ("Waits for an answer", Text(entry, "prompt"), "wait"),
        "task.answered" => ("Answered", Joined(Text(entry, "answer"), Text(entry, "by") is { } who ? $"by {who}" : null), "soon"),
        "task.questionExpired" => ("Not answered in time", null, "wait"),
        "task.ended" => Ended(entry, "Task "),
        "attempt.claimed" => ("Claimed", Text(entry, "dispatcher") is { } dispatcher ? $"by {dispatcher}" : null, "live"),
        "attempt.pulling" => ("Pulling the image", Joined(Text(entry, "image"), Percent(entry)), "live"),
        "attempt.starting" => ("Starting", null, "live"),
        "attempt.running" => ("Running", null, "live"),
        "attempt.progress" => (Percent(entry) is { } percent ? $"Progress: {percent}" : "Progress", Text(entry, "message"), "live"),
        "attempt.question" => ("Asks", Text(entry, "prompt"), "wait"),
        "attempt.artifact" => ("Left a file", Joined(Text(entry, "path"), Size(entry)), "calm"),
        "attempt.usage" => ("Used a model", Joined(Text(entry, "model"), Tokens(entry)), "calm"),
        "attempt.message" => ("Says", Text(entry, "text"), "calm"),
        "attempt.told" => ("Told", Joined(Text(entry, "text"), Text(entry, "by") is { } teller ? $"by {teller}" : null), "calm"),
        "attempt.ended" => Ended(entry, "Attempt "),
        "attempt.lost" => ("Attempt lost", "its dispatcher fell silent", "bad"),
        _ => (entry.Type, null, "calm"),
    };

    private static (string, string?, string) Ended(TaskEventView entry, string what)
    {
        var status = Text(entry, "status");
        var (words, tone) = WireEnum<AttemptState>.TryParse(status, out var state) ? (StateWords.Of(state), StateWords.Tone(state)) : (status ?? "ended", "calm");
        var reason = WireEnum<FailureReason>.TryParse(Text(entry, "reason"), out var known) && known != FailureReason.Canceled ? StateWords.Of(known) : null;
        return ($"{what}{words.ToLowerInvariant()}", Text(entry, "message") ?? reason, tone);
    }

    private static JsonElement? Field(TaskEventView entry, string name) =>
        entry.Data is { ValueKind: JsonValueKind.Object } data && data.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(TaskEventView entry, string name) => Field(entry, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static string? Due(TaskEventView entry) => Field(entry, "dueAt") is { ValueKind: JsonValueKind.String } value && value.TryGetDateTimeOffset(out var due)
        ? string.Create(CultureInfo.InvariantCulture, $"for {due.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC")
        : null;

    private static string? Percent(TaskEventView entry) => Field(entry, "percent") is { ValueKind: JsonValueKind.Number } value ? $"{value.GetDouble():0.#} %" : null;

    private static string? Size(TaskEventView entry) => Field(entry, "size") is { ValueKind: JsonValueKind.Number } value ? StateWords.Size(value.GetInt64()) : null;

    private static string? Tokens(TaskEventView entry) =>
        Field(entry, "inputTokens") is { ValueKind: JsonValueKind.Number } input && Field(entry, "outputTokens") is { ValueKind: JsonValueKind.Number } output
            ? $"{input.GetInt64():N0} in, {output.GetInt64():N0} out"
            : null;

    private static string? Joined(params string?[] parts) => parts.Any(part => part is not null) ? string.Join(" · ", parts.Where(part => part is not null)) : null;
}
