using Grpc.Core;
using Kohakku.Local.Temporal.Effects;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.Commands;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Updates;
using Kohakku.Local.Temporal.Visibility;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Workers;

/// <summary>A worker has done a workflow task: its commands are applied, and the next task is scheduled where there is need.</summary>
internal sealed class TaskCompletion(RunHost host, SearchAttributeRegistry searchAttributes)
{
    /// <summary>The next task was not offered to a queue but goes back with the answer.</summary>
    private const string InlineRequestId = "request-from-RespondWorkflowTaskCompleted";

    /// <summary>As long as this a worker may hold a task by heartbeats that bring nothing.</summary>
    private static readonly TimeSpan LongestHeartbeat = TimeSpan.FromMinutes(30);

    private const int MostEagerActivities = 3;
    private static readonly TimeSpan PatienceForChildren = TimeSpan.FromMilliseconds(100);

    public async Task<RespondWorkflowTaskCompletedResponse> CompleteAsync(RespondWorkflowTaskCompletedRequest request, CancellationToken cancellationToken)
    {
        var token = TaskToken.Parse(request.TaskToken);
        RpcException? refused = null;
        var inline = false;
        var eager = new List<ActivityState>();
        long discardedAt = 0;
        Task[] children = [];
        var answer = await host.ChangeAsync(
            token.Run,
            async change =>
            {
                var task = TaskOf(change, token);
                if (Fault(change, request) is { } fault)
                {
                    refused = Refuse(change, task, fault, request);
                    return;
                }
                var heartbeat = request is { ForceCreateNewWorkflowTask: true, Commands.Count: 0, Messages.Count: 0 };
                if (heartbeat && change.Now > task.OriginalScheduledAt + LongestHeartbeat)
                {
                    change.TimeOutStartedTask();
                    change.State.StickyQueue = "";
                    change.AfterCommit.Add(change.Run.Updates.TakeBack);
                    change.ScheduleTask();
                    refused = new RpcException(new Status(StatusCode.NotFound, "workflow task heartbeat timeout"));
                    return;
                }
                (inline, discardedAt) = await ApplyAsync(change, task, request, heartbeat, eager);
                children = [.. change.Owed.OfType<StartChild>().Select(start => start.Done.Task)];
            },
            async run => refused is null ? await AnswerAsync(run, request, inline, eager, discardedAt) : throw refused,
            cancellationToken);
        if (children.Length > 0) await WaitShortlyAsync(Task.WhenAll(children));
        return answer;
    }

    /// <summary>Who is told that a task is done mostly finds the children there that it started.</summary>
    private async Task WaitShortlyAsync(Task children)
    {
        try
        {
            await children.WaitAsync(PatienceForChildren, host.Time);
        }
        catch (TimeoutException)
        {
            // They are owed, and will come.
        }
    }

    /// <summary>A worker could not do the task.</summary>
    public Task FailAsync(RespondWorkflowTaskFailedRequest request, CancellationToken cancellationToken)
    {
        var token = TaskToken.Parse(request.TaskToken);
        return host.ChangeAsync(
            token.Run,
            change =>
            {
                TaskOf(change, token);
                change.FailTask(request.Cause, request.Failure, request.Identity, request.BinaryChecksum);
                change.AfterCommit.Add(change.Run.Updates.TakeBack);
                change.ScheduleTask();
            },
            cancellationToken);
    }

    private static WorkflowTask TaskOf(RunChange change, TaskToken token)
    {
        var task = change.State.Task;
        if (!change.State.IsRunning || task is null || task.ScheduledId != token.ScheduledId || task.Attempt != token.Attempt || task.StartedAt?.UtcTicks != token.StartedAt)
        {
            throw new RpcException(new Status(StatusCode.NotFound, "Workflow task not found."));
        }
        return task;
    }

    private CommandFault? Fault(RunChange change, RespondWorkflowTaskCompletedRequest request)
    {
        foreach (var message in request.Messages)
        {
            if (UpdateMessages.Fault(change.Run, message) is { } fault) return new(WorkflowTaskFailedCause.BadUpdateWorkflowExecutionMessage, fault);
        }
        return CommandCheck.Fault(change.State, request, searchAttributes);
    }

    private static RpcException Refuse(RunChange change, WorkflowTask task, CommandFault fault, RespondWorkflowTaskCompletedRequest request)
    {
        var refused = new RpcException(new Status(StatusCode.InvalidArgument, fault.Message));
        // One that keeps failing is left to time out, so that it is not tried over and over at once.
        if (task.Attempt > 1 && fault.Cause != WorkflowTaskFailedCause.UnhandledCommand) throw refused;
        change.FailTask(fault.Cause, new Failure { Message = fault.Message, Source = "Server", ServerFailureInfo = new() }, request.Identity);
        change.AfterCommit.Add(change.Run.Updates.TakeBack);
        if (fault.TerminatesRun)
        {
            change.FlushBuffered();
            Closing.Terminate(change, fault.Message, null, RunHost.Identity);
        }
        else
        {
            change.ScheduleTask();
        }
        return refused;
    }

    private static async ValueTask<(bool Inline, long DiscardedAt)> ApplyAsync(
        RunChange change, WorkflowTask task, RespondWorkflowTaskCompletedRequest request, bool heartbeat, List<ActivityState> eager)
    {
        var state = change.State;
        var run = change.Run;
        var completed = change.CompleteTask(request);
        var discardedAt = completed is null ? state.LastCompletedTaskStartedId : 0;
        state.StickyQueue = request.StickyAttributes?.WorkerTaskQueue?.Name ?? "";
        state.StickyScheduleToStart = request.StickyAttributes?.ScheduleToStartTimeout.ToSpan() ?? TimeSpan.Zero;
        var commands = new CommandApply(change, completed?.EventId ?? 0, request.Identity);
        var messages = request.Messages.ToDictionary(message => message.Id);
        var answered = new HashSet<string>();
        foreach (var command in request.Commands)
        {
            await commands.ApplyAsync(
                command,
                id =>
                {
                    messages.Remove(id, out var message);
                    return message!;
                },
                message => UpdateMessages.Apply(change, message, answered));
        }
        foreach (var message in request.Messages.Where(message => messages.ContainsKey(message.Id))) UpdateMessages.Apply(change, message, answered);
        if (state.IsRunning && !request.ForceCreateNewWorkflowTask)
        {
            foreach (var unanswered in run.Updates.Unanswered(answered)) change.AfterCommit.Add(() => run.Updates.Reject(unanswered, null));
        }
        foreach (var (id, result) in request.QueryResults) change.AfterCommit.Add(() => run.Queries.Answer(id, result));
        StartEager(change, commands, request, eager);
        var inline = ScheduleNext(change, request, task, heartbeat, commands.CanceledWaitingActivity);
        if (state.Task is null) change.AfterCommit.Add(run.Queries.Unblock);
        return (inline, discardedAt);
    }

    private static void StartEager(RunChange change, CommandApply commands, RespondWorkflowTaskCompletedRequest request, List<ActivityState> eager)
    {
        if (!change.State.IsRunning) return;
        foreach (var activity in commands.Eager.Take(MostEagerActivities).Where(activity => change.State.Activities.ContainsKey(activity.ScheduledId)))
        {
            change.StartActivity(activity, request.Identity, Guid.NewGuid().ToString(), null);
            change.OfferedActivities.Remove(activity.ScheduledId);
            eager.Add(activity);
        }
    }

    /// <returns>Whether the next task has begun already, with this worker.</returns>
    private static bool ScheduleNext(RunChange change, RespondWorkflowTaskCompletedRequest request, WorkflowTask task, bool heartbeat, bool canceledWaitingActivity)
    {
        var state = change.State;
        if (!state.IsRunning) return false;
        var normal = request.ForceCreateNewWorkflowTask || state.Buffered.Count > 0 || canceledWaitingActivity;
        var speculative = !normal && change.Run.Updates.HasUnsent;
        if (!normal && !speculative) return false;
        var inline = request.ReturnNewWorkflowTask;
        change.ScheduleTask(speculative && inline, heartbeat ? task.OriginalScheduledAt : null, inline);
        if (inline)
        {
            var queue = state.StickyQueue.Length > 0 ? state.StickyQueue : state.TaskQueue;
            change.StartTask(queue, request.Identity, InlineRequestId, request.WorkerVersionStamp, state.UpdateCount + change.Run.Updates.Count);
        }
        return inline;
    }

    private static async ValueTask<RespondWorkflowTaskCompletedResponse> AnswerAsync(
        Run run, RespondWorkflowTaskCompletedRequest request, bool inline, List<ActivityState> eager, long discardedAt)
    {
        var answer = new RespondWorkflowTaskCompletedResponse { ResetHistoryEventId = discardedAt };
        if (inline) answer.WorkflowTask = await TaskResponses.WorkflowTaskAsync(run, sticky: run.State!.StickyQueue.Length > 0, CancellationToken.None);
        foreach (var activity in eager) answer.ActivityTasks.Add(await TaskResponses.ActivityAsync(run, activity, CancellationToken.None));
        return answer;
    }
}
