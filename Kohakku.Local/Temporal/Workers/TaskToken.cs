using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Grpc.Core;
using Kohakku.Local.Temporal.Runs.State;

namespace Kohakku.Local.Temporal.Workers;

/// <summary>Names what a worker was given, so that an answer that comes too late is not taken for one that is awaited.</summary>
/// <param name="StartedAt">Ticks; tells attempts apart that left no trace in the history.</param>
internal sealed record TaskToken(string Namespace, string WorkflowId, Guid RunId, long ScheduledId, int Attempt, long StartedAt = 0, string ActivityId = "", Guid? QueryId = null)
{
    [JsonIgnore]
    public RunKey Run => new(Namespace, RunId);

    public ByteString ToBytes() => ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(this, TaskTokenJson.Default.TaskToken));

    /// <exception cref="RpcException">INVALID_ARGUMENT: it is none of ours.</exception>
    public static TaskToken Parse(ByteString bytes)
    {
        if (bytes.IsEmpty) throw new RpcException(new Status(StatusCode.InvalidArgument, "Task token not set on request."));
        try
        {
            return JsonSerializer.Deserialize(bytes.Span, TaskTokenJson.Default.TaskToken) ?? throw new JsonException();
        }
        catch (JsonException)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "error deserializing task token"));
        }
    }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(TaskToken))]
internal sealed partial class TaskTokenJson : JsonSerializerContext;
