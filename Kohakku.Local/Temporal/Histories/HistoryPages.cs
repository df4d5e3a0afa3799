using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Grpc.Core;
using Kohakku.Local.Temporal.Runs;

namespace Kohakku.Local.Temporal.Histories;

/// <summary>Where a reader of a history goes on.</summary>
/// <param name="Next">Id of the first event it has not seen.</param>
/// <param name="Last">Id of the last it is to see; 0 for all there will be.</param>
/// <param name="TaskId">The workflow task whose events are not written yet and belong to the last page; 0 when there is none.</param>
internal sealed record HistoryPageToken(Guid RunId, long Next, long Last = 0, long TaskId = 0)
{
    public ByteString ToBytes() => ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(this, HistoryPageTokenJson.Default.HistoryPageToken));

    /// <exception cref="RpcException">INVALID_ARGUMENT: it is none of ours.</exception>
    public static HistoryPageToken? Parse(ByteString bytes)
    {
        if (bytes.IsEmpty) return null;
        try
        {
            return JsonSerializer.Deserialize(bytes.Span, HistoryPageTokenJson.Default.HistoryPageToken);
        }
        catch (JsonException)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "Invalid NextPageToken."));
        }
    }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(HistoryPageToken))]
internal sealed partial class HistoryPageTokenJson : JsonSerializerContext;

/// <summary>Histories in pages.</summary>
internal static class HistoryPages
{
    public const int MostEvents = 256;

    /// <summary>What a worker needs for the task that has begun: to its started event, written or not.</summary>
    public static ValueTask<(Temporalio.Api.History.V1.History History, ByteString Next)> ForTaskAsync(Run run, long first, CancellationToken cancellationToken)
    {
        var task = run.State!.Task!;
        return PageAsync(run, new(run.Key.RunId, first, run.State.NextEventId - 1, task.HasEvents ? 0 : task.ScheduledId), MostEvents, cancellationToken);
    }

    /// <summary>What a worker needs for a query: all that is written.</summary>
    public static ValueTask<(Temporalio.Api.History.V1.History History, ByteString Next)> ForQueryAsync(Run run, CancellationToken cancellationToken) =>
        PageAsync(run, new(run.Key.RunId, 1, run.State!.NextEventId - 1), MostEvents, cancellationToken);

    /// <summary>A page of what the token names; the next token is empty when it is the last.</summary>
    public static async ValueTask<(Temporalio.Api.History.V1.History History, ByteString Next)> PageAsync(
        Run run, HistoryPageToken token, int size, CancellationToken cancellationToken)
    {
        var page = new Temporalio.Api.History.V1.History();
        page.Events.Add(await run.ReadAsync(token.Next, token.Last, size, cancellationToken));
        var next = token.Next + page.Events.Count;
        if (next <= token.Last) return (page, (token with { Next = next }).ToBytes());
        if (token.TaskId != 0 && run.State!.Task?.ScheduledId == token.TaskId) page.Events.Add(WorkflowTasks.UnwrittenEvents(run.State));
        return (page, ByteString.Empty);
    }
}
