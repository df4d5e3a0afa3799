using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Dispatching.States;

/// <summary>An attempt's event, read. <see cref="Told"/> is for all that only goes on the timeline, as types that this release does not know.</summary>
/// <param name="Type">The wire type.</param>
/// <param name="Data">JSON that the database can hold.</param>
internal abstract record AttemptReport(string Type, string? Data)
{
    private const int LongestType = 64;

    internal sealed record Pulling(string? Data) : AttemptReport(AttemptEventTypes.Pulling, Data);
    internal sealed record Starting(string? Data) : AttemptReport(AttemptEventTypes.Starting, Data);
    internal sealed record Running(string? Data, RunningData Content) : AttemptReport(AttemptEventTypes.Running, Data);
    internal sealed record Asked(string? Data, QuestionData Content) : AttemptReport(AttemptEventTypes.Question, Data);
    internal sealed record Stored(string? Data, ArtifactData Content) : AttemptReport(AttemptEventTypes.Artifact, Data);
    internal sealed record Used(string? Data, UsageData Content) : AttemptReport(AttemptEventTypes.Usage, Data);
    internal sealed record Ended(EndedData Content) : AttemptReport(AttemptEventTypes.Ended, null);
    internal sealed record Told(string Type, string? Data) : AttemptReport(Type, Data);

    /// <summary>Reads one event. Null with a fault in words when its data is not what its type says.</summary>
    public static AttemptReport? Read(AttemptEvent wire, out string? fault)
    {
        try
        {
            var data = wire.Data is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } element ? JsonText.Clean(element.GetRawText()) : null;
            fault = null;
            return wire.Type switch
            {
                AttemptEventTypes.Pulling => new Pulling(data),
                AttemptEventTypes.Starting => new Starting(data),
                AttemptEventTypes.Running => new Running(data, Parse(data, ContractsJson.Default.RunningData)),
                AttemptEventTypes.Question => new Asked(data, Parse(data, ContractsJson.Default.QuestionData)),
                AttemptEventTypes.Artifact => new Stored(data, Parse(data, ContractsJson.Default.ArtifactData)),
                AttemptEventTypes.Usage => new Used(data, Parse(data, ContractsJson.Default.UsageData)),
                AttemptEventTypes.Ended => new Ended(AsEnded(Parse(data, ContractsJson.Default.EndedData))),
                _ => new Told(JsonText.CleanPlain(wire.Type.Length > LongestType ? wire.Type[..LongestType] : wire.Type), data),
            };
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException or FormatException)
        {
            fault = unreadable.Message;
            return null;
        }
    }

    private static T Parse<T>(string? data, JsonTypeInfo<T> form) =>
        JsonSerializer.Deserialize(data ?? "null", form) ?? throw new JsonException("data is missing");

    private static EndedData AsEnded(EndedData data) => data.Status.IsEnded() && data.Status != AttemptState.Lost
        ? data
        : throw new JsonException("status is not one that an attempt ends in");
}
