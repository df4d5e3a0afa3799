using Grpc.Core;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.Update.V1;

namespace Kohakku.Local.Temporal.Updates;

internal enum UpdateStage
{
    /// <summary>Waits for a workflow task.</summary>
    Admitted,

    /// <summary>Went out with the workflow task that runs.</summary>
    Sent,
    Accepted,
}

/// <summary>An update that is not completed. Those who wait for it hold it beyond the run's gate.</summary>
internal sealed class PendingUpdate(string id, Request? request, UpdateStage stage)
{
    private readonly TaskCompletionSource accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Outcome> completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id { get; } = id;

    /// <summary>Null for one that was accepted before this process began.</summary>
    public Request? Request { get; } = request;
    public UpdateStage Stage { get; set; } = stage;

    /// <summary>Fails with the status for the caller, or with <see cref="UpdateMovedException"/>.</summary>
    public Task Accepted => accepted.Task;
    public Task<Outcome> Completed => completed.Task;

    public void Accept()
    {
        Stage = UpdateStage.Accepted;
        accepted.TrySetResult();
    }

    /// <summary>Also by being rejected: that is an outcome too.</summary>
    public void Complete(Outcome outcome)
    {
        // First: who waits for it to be accepted looks at once for the outcome, and must not take a rejected one for accepted.
        completed.TrySetResult(outcome);
        accepted.TrySetResult();
    }

    public void Abort(Exception reason)
    {
        accepted.TrySetException(reason);
        completed.TrySetException(reason);
        // No one may wait any more.
        _ = accepted.Task.Exception;
        _ = completed.Task.Exception;
    }
}

/// <summary>The run ended with another taking over, which the update should go to.</summary>
internal sealed class UpdateMovedException : Exception;

/// <summary>The updates of one run that are not completed.</summary>
internal sealed class UpdateRegistry
{
    private static readonly Failure Unprocessed = ServerFailure(
        "UnprocessedUpdate", "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow Update is not supported by the worker.");

    private static readonly Failure CompletedBefore = ServerFailure(
        "AcceptedUpdateCompletedWorkflow", "Workflow Update failed because the Workflow completed before the Update completed.");

    // In the order of their coming, which is the order they are sent in.
    private readonly OrderedDictionary<string, PendingUpdate> updates = [];

    public int Count => updates.Count;

    public static Outcome CompletedBeforeOutcome => new() { Failure = CompletedBefore };

    public PendingUpdate? Find(string id) => updates.GetValueOrDefault(id);

    public PendingUpdate Add(PendingUpdate update)
    {
        updates.Add(update.Id, update);
        return update;
    }

    public void Remove(string id) => updates.Remove(id);

    public bool HasUnsent => updates.Values.Any(update => update.Stage == UpdateStage.Admitted);

    /// <summary>Those that go out with a workflow task.</summary>
    public List<PendingUpdate> Send()
    {
        var sent = updates.Values.Where(update => update.Stage is UpdateStage.Admitted or UpdateStage.Sent).ToList();
        foreach (var update in sent) update.Stage = UpdateStage.Sent;
        return sent;
    }

    /// <summary>The task they went out with came to nothing: they go out with the next.</summary>
    public void TakeBack()
    {
        foreach (var update in updates.Values.Where(update => update.Stage == UpdateStage.Sent)) update.Stage = UpdateStage.Admitted;
    }

    /// <summary>A worker that does not answer an update does not know of updates.</summary>
    public IEnumerable<PendingUpdate> Unanswered(ISet<string> answered) =>
        [.. updates.Values.Where(update => update.Stage == UpdateStage.Sent && !answered.Contains(update.Id))];

    public void Reject(PendingUpdate update, Failure? failure)
    {
        updates.Remove(update.Id);
        update.Complete(new Outcome { Failure = failure ?? Unprocessed });
    }

    /// <summary>The run has ended.</summary>
    public void EndAll(bool hasSuccessor)
    {
        foreach (var update in updates.Values)
        {
            if (update.Stage == UpdateStage.Accepted) update.Complete(CompletedBeforeOutcome);
            else update.Abort(hasSuccessor ? new UpdateMovedException() : new RpcException(new Status(StatusCode.NotFound, "workflow update was aborted by closing workflow")));
        }
        updates.Clear();
    }

    private static Failure ServerFailure(string type, string message) =>
        new() { Message = message, Source = "Server", ApplicationFailureInfo = new() { Type = type, NonRetryable = true } };
}
