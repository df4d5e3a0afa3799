using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Kohakku.Local.Temporal.Storage;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Sdk.V1;

namespace Kohakku.Local.Temporal.Runs.State;

/// <summary>Between a run's state and what is stored of it.</summary>
internal static class StateCodec
{
    public static ReadOnlyMemory<byte> Write(RunState state) => JsonSerializer.SerializeToUtf8Bytes(state, StateJson.Default.RunState);

    public static ReadOnlyMemory<byte> Write(ActivityState part) => JsonSerializer.SerializeToUtf8Bytes(part, StateJson.Default.ActivityState);

    public static ReadOnlyMemory<byte> Write(TimerState part) => JsonSerializer.SerializeToUtf8Bytes(part, StateJson.Default.TimerState);

    public static ReadOnlyMemory<byte> Write(ChildState part) => JsonSerializer.SerializeToUtf8Bytes(part, StateJson.Default.ChildState);

    public static ReadOnlyMemory<byte> Write(ExternalRequestState part) => JsonSerializer.SerializeToUtf8Bytes(part, StateJson.Default.ExternalRequestState);

    public static ReadOnlyMemory<byte> Write(UpdateState part) => JsonSerializer.SerializeToUtf8Bytes(part, StateJson.Default.UpdateState);

    public static string Key(long eventId) => eventId.ToString(CultureInfo.InvariantCulture);

    public static RunState Read(StoredRun stored)
    {
        var state = JsonSerializer.Deserialize(stored.Row.State.Span, StateJson.Default.RunState)
            ?? throw new InvalidDataException($"The state of run {stored.Row.RunId} is empty.");
        foreach (var part in stored.Parts) Read(state, part, part.Data!.Value.Span);
        return state;
    }

    private static void Read(RunState state, PartWrite part, ReadOnlySpan<byte> data)
    {
        switch ((PartKind)part.Kind)
        {
            case PartKind.Activity:
                var activity = JsonSerializer.Deserialize(data, StateJson.Default.ActivityState)!;
                state.Activities.Add(activity.ScheduledId, activity);
                break;
            case PartKind.Timer:
                var timer = JsonSerializer.Deserialize(data, StateJson.Default.TimerState)!;
                state.Timers.Add(timer.TimerId, timer);
                break;
            case PartKind.Child:
                var child = JsonSerializer.Deserialize(data, StateJson.Default.ChildState)!;
                state.Children.Add(child.InitiatedId, child);
                break;
            case PartKind.ExternalRequest:
                var request = JsonSerializer.Deserialize(data, StateJson.Default.ExternalRequestState)!;
                state.ExternalRequests.Add(request.InitiatedId, request);
                break;
            case PartKind.Update:
                var update = JsonSerializer.Deserialize(data, StateJson.Default.UpdateState)!;
                state.Updates.Add(update.UpdateId, update);
                break;
            case PartKind.RequestId:
                state.RequestIds.Add(part.Key);
                break;
            case PartKind.BufferedEvent:
                state.Buffered.Add(long.Parse(part.Key, CultureInfo.InvariantCulture), HistoryEvent.Parser.ParseFrom(data));
                break;
            default:
                throw new InvalidDataException($"Run {state.RunId} has a part of kind {part.Kind}, which this version does not know.");
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(RunState))]
[JsonSerializable(typeof(ActivityState))]
[JsonSerializable(typeof(TimerState))]
[JsonSerializable(typeof(ChildState))]
[JsonSerializable(typeof(ExternalRequestState))]
[JsonSerializable(typeof(UpdateState))]
internal sealed partial class StateJson : JsonSerializerContext;

/// <summary>A message of the protocol inside a document: its bytes, so that fields this version does not know survive.</summary>
internal sealed class MessageConverter<T> : JsonConverter<T> where T : class, IMessage<T>, new()
{
    private static readonly MessageParser<T> Parser = new(() => new T());

    public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parser.ParseFrom(reader.GetBytesFromBase64());

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteBase64StringValue(value.ToByteArray());
}
