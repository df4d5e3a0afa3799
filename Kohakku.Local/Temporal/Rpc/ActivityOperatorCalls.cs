using Grpc.Core;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>What an operator does with activities that are pending: hold them back, let them go on, have them begin anew.</summary>
internal sealed class ActivityOperatorCalls(RunLookup lookup, NamespaceCheck check)
{
    public void Map(GrpcMethods methods)
    {
        methods.Add<PauseActivityRequest, PauseActivityResponse>("PauseActivity", async (request, call) =>
        {
            var chosen = Chosen(request.Id, request.Type, all: false);
            await ChangeAsync(request.Namespace, request.Execution, chosen, call, (change, activity) =>
            {
                activity.Pause ??= new ActivityPause(change.Now, request.Identity, request.Reason);
                change.Touch(activity);
            });
            return new PauseActivityResponse();
        });
        methods.Add<UnpauseActivityRequest, UnpauseActivityResponse>("UnpauseActivity", async (request, call) =>
        {
            var chosen = Chosen(request.Id, request.Type, request.UnpauseAll);
            await ChangeAsync(request.Namespace, request.Execution, chosen, call, (change, activity) =>
            {
                if (activity.Pause is null) return;
                activity.Pause = null;
                if (request.ResetAttempts && !activity.IsStarted) activity.Attempt = 1;
                if (request.ResetHeartbeat) activity.HeartbeatDetails = null;
                change.OfferAgain(activity, Jitter(request.Jitter.ToSpan()));
            });
            return new UnpauseActivityResponse();
        });
        methods.Add<ResetActivityRequest, ResetActivityResponse>("ResetActivity", async (request, call) =>
        {
            if (request.RestoreOriginalOptions) throw RpcErrors.Unimplemented("restore_original_options is not supported.");
            var chosen = Chosen(request.Id, request.Type, request.MatchAll);
            await ChangeAsync(request.Namespace, request.Execution, chosen, call, (change, activity) =>
            {
                if (activity.IsStarted)
                {
                    // The attempt that runs keeps its number, by which its worker answers, and counts as the first. It stays paused too, and its worker hears of both.
                    activity.ResetRequested = true;
                    activity.ResetsHeartbeat = request.ResetHeartbeat;
                }
                else
                {
                    activity.Attempt = 1;
                    if (!request.KeepPaused) activity.Pause = null;
                    if (request.ResetHeartbeat) activity.HeartbeatDetails = null;
                }
                change.OfferAgain(activity, Jitter(request.Jitter.ToSpan()));
            });
            return new ResetActivityResponse();
        });
    }

    private static Func<ActivityState, bool> Chosen(string id, string type, bool all)
    {
        if (id.Length > 0) return activity => activity.ActivityId == id;
        if (type.Length > 0) return activity => activity.ActivityType == type;
        return all ? static _ => true : throw RpcErrors.Invalid("Either activity id or activity type must be provided.");
    }

    private Task ChangeAsync(string @namespace, WorkflowExecution? execution, Func<ActivityState, bool> chosen, ServerCallContext call, Action<RunChange, ActivityState> act)
    {
        check.Check(@namespace);
        return lookup.ChangeAsync(
            @namespace, execution,
            change =>
            {
                if (!change.State.IsRunning) throw RpcErrors.WorkflowCompleted();
                var activities = change.State.Activities.Values.Where(chosen).ToList();
                if (activities.Count == 0) throw RpcErrors.NotFound("Can't find pending activity with such ID. Invalid activityID or activity already completed");
                foreach (var activity in activities) act(change, activity);
            },
            call.CancellationToken);
    }

    private static TimeSpan Jitter(TimeSpan most) => most > TimeSpan.Zero ? most * Random.Shared.NextDouble() : TimeSpan.Zero;
}
