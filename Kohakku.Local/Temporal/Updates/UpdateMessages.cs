using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.History.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Update.V1;

namespace Kohakku.Local.Temporal.Updates;

/// <summary>What passes between server and worker about updates; the protocol is that of <c>temporal.api.update.v1</c>.</summary>
internal static class UpdateMessages
{
    /// <summary>The updates that go out with the workflow task that has just begun.</summary>
    public static IEnumerable<Message> Outgoing(Run run)
    {
        if (run.State?.Task is not { IsStarted: true } task) yield break;
        foreach (var update in run.Updates.Send())
        {
            if (update.Request is null) continue;
            yield return new Message
            {
                Id = $"{update.Id}/request",
                ProtocolInstanceId = update.Id,
                EventId = task.StartedId - 1,
                Body = Any.Pack(update.Request),
            };
        }
    }

    /// <returns>What is wrong with a message of a worker; null when nothing is.</returns>
    public static string? Fault(Run run, Message message)
    {
        var id = message.ProtocolInstanceId;
        if (message.Body is null) return $"message {message.Id} has no body";
        if (message.Body.Is(Acceptance.Descriptor))
        {
            if (run.Updates.Find(id) is not null || message.Body.Unpack<Acceptance>().AcceptedRequest is not null) return null;
        }
        else if (message.Body.Is(Response.Descriptor) || message.Body.Is(Rejection.Descriptor))
        {
            // An acceptance before it in the same task makes it known too, which is checked as it is applied.
            return null;
        }
        else
        {
            return $"unsupported message {message.Body.TypeUrl}";
        }
        return $"update {id} wasn't found on the server. This is most likely a transient error which will be resolved automatically by retries";
    }

    /// <param name="answered">The updates that were answered with this task.</param>
    public static void Apply(RunChange change, Message message, ISet<string> answered)
    {
        answered.Add(message.ProtocolInstanceId);
        if (message.Body.Is(Acceptance.Descriptor)) Accept(change, message.ProtocolInstanceId, message.Body.Unpack<Acceptance>());
        else if (message.Body.Is(Response.Descriptor)) Complete(change, message.ProtocolInstanceId, message.Body.Unpack<Response>());
        else Reject(change, message.ProtocolInstanceId, message.Body.Unpack<Rejection>());
    }

    private static void Accept(RunChange change, string id, Acceptance acceptance)
    {
        var pending = change.Run.Updates.Find(id);
        var accepted = change.Add(new HistoryEvent
        {
            WorkflowExecutionUpdateAcceptedEventAttributes = new()
            {
                ProtocolInstanceId = id,
                AcceptedRequestMessageId = acceptance.AcceptedRequestMessageId,
                AcceptedRequestSequencingEventId = acceptance.AcceptedRequestSequencingEventId,
                AcceptedRequest = acceptance.AcceptedRequest ?? pending?.Request,
            },
        });
        var update = new UpdateState { UpdateId = id, AcceptedId = accepted.EventId };
        change.State.Updates[id] = update;
        change.State.UpdateCount++;
        change.Touch(update);
        if (pending is not null) change.AfterCommit.Add(pending.Accept);
    }

    private static void Complete(RunChange change, string id, Response response)
    {
        if (!change.State.Updates.TryGetValue(id, out var update) || update.CompletedId != 0) return;
        update.CompletedId = change.Add(new HistoryEvent
        {
            WorkflowExecutionUpdateCompletedEventAttributes = new()
            {
                Meta = response.Meta ?? new Meta { UpdateId = id }, AcceptedEventId = update.AcceptedId, Outcome = response.Outcome,
            },
        }).EventId;
        change.Touch(update);
        if (change.Run.Updates.Find(id) is not { } pending) return;
        change.AfterCommit.Add(() =>
        {
            change.Run.Updates.Remove(id);
            pending.Complete(response.Outcome);
        });
    }

    private static void Reject(RunChange change, string id, Rejection rejection)
    {
        if (change.Run.Updates.Find(id) is { } pending) change.AfterCommit.Add(() => change.Run.Updates.Reject(pending, rejection.Failure));
    }
}
