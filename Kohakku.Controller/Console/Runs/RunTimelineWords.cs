using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Console.Shared;

namespace Kohakku.Controller.Console.Runs;

/// <summary>Puts an entry of a run's timeline into words; what it does not know it shows by its type.</summary>
internal static class RunTimelineWords
{
    /// <returns>What happened, to be read after the step's name where there is one, and what more is to say; the style class of its dot.</returns>
    public static (string Title, string? Detail, string Tone) Of(RunEventView entry) => entry.Type switch
    {
        "run.created" => (Text(entry, "retryOf") is null ? "Created" : "Created as a retry", Text(entry, "by") is { } by ? $"by {by}" : null, "calm"),
        "run.started" => ("Started", null, "live"),
        "run.paused" => ("Paused", null, "wait"),
        "run.resumed" => ("Resumed", null, "live"),
        "run.signal" => ($"Signal {Text(entry, "name")} received", Text(entry, "by") is { } sender ? $"from {sender}" : null, "soon"),
        "run.ended" => RunEnded(entry),
        "step.begun" => StepBegun(entry),
        "step.ended" => StepEnded(entry),
        "approval.asked" => ("asks for a decision", Text(entry, "prompt"), "wait"),
        "approval.decided" => (Text(entry, "decision") == "approve" ? "approved" : "rejected", Decision(entry), Text(entry, "decision") == "approve" ? "good" : "bad"),
        _ => (entry.Type, null, "calm"),
    };

    private static (string, string?, string) RunEnded(RunEventView entry) => WireEnum<RunState>.TryParse(Text(entry, "status"), out var state)
        ? ($"Run {StateWords.Of(state).ToLowerInvariant()}", Text(entry, "failure"), StateWords.Tone(state))
        : ("Run ended", Text(entry, "failure"), "calm");

    private static (string, string?, string) StepBegun(RunEventView entry) =>
        WireEnum<StepState>.TryParse(Text(entry, "status"), out var state) && state is StepState.Waiting ? ("waits", null, "wait") : ("begun", Items(entry), "live");

    private static (string, string?, string) StepEnded(RunEventView entry) => WireEnum<StepState>.TryParse(Text(entry, "status"), out var state)
        ? (StateWords.Of(state).ToLowerInvariant(), Text(entry, "failure"), StateWords.Tone(state))
        : ("ended", Text(entry, "failure"), "calm");

    private static string? Items(RunEventView entry) => Field(entry, "items") is { ValueKind: JsonValueKind.Number } items && items.TryGetInt32(out var count) && count != 1 ? $"{count} items" : null;

    private static string Decision(RunEventView entry) => Text(entry, "comment") is { Length: > 0 } comment ? $"by {Text(entry, "by")}: {comment}" : $"by {Text(entry, "by")}";

    private static string? Text(RunEventView entry, string name) => Field(entry, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static JsonElement? Field(RunEventView entry, string name) =>
        entry.Data is { ValueKind: JsonValueKind.Object } data && data.TryGetProperty(name, out var value) ? value : null;
}
