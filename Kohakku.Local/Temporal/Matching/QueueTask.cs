using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Query.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Matching;

internal enum QueueKind
{
    Workflow,
    Activity,
}

internal readonly record struct QueueKey(string Namespace, string Name, QueueKind Kind);

/// <summary>Something for a worker. Whether it is still wanted is asked of the run when a worker takes it.</summary>
internal abstract record QueueTask(RunKey Run)
{
    public required DateTimeOffset OfferedAt { get; init; }
}

/// <param name="NormalQueue">Where it goes when the sticky queue is given up.</param>
internal sealed record WorkflowQueueTask(RunKey Run, long ScheduledId, int Attempt, QueueKey NormalQueue) : QueueTask(Run);

/// <summary>A workflow task that has begun already, with the worker whose poll waited for it.</summary>
internal sealed record BegunQueueTask(RunKey Run, PollWorkflowTaskQueueResponse Response) : QueueTask(Run);

internal sealed record ActivityQueueTask(RunKey Run, long ScheduledId, int Attempt) : QueueTask(Run);

/// <summary>A query that is answered by itself, without a workflow task.</summary>
/// <param name="NormalQueue">Where any worker can answer it.</param>
internal sealed record QueryQueueTask(RunKey Run, WorkflowQuery Query, QueueKey NormalQueue) : QueueTask(Run)
{
    public Guid Id { get; } = Guid.NewGuid();

    /// <summary>What the worker answered.</summary>
    public TaskCompletionSource<RespondQueryTaskCompletedRequest> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
