using System.Diagnostics;
using Kohakku.Contracts;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Tasks.Submit;

internal static class SubmitEndpoints
{
    private const int LargestBatch = 1_000;

    public static void MapSubmit(this RouteGroupBuilder tasks)
    {
        tasks.MapPost("", SubmitAsync).RequireAuthorization(Policies.Operator).WithName("SubmitTask");
        tasks.MapPost("/batch", SubmitBatchAsync).RequireAuthorization(Policies.Operator).WithName("SubmitTaskBatch");
    }

    private static async Task<Results<Created<TaskView>, Ok<TaskView>, ProblemHttpResult>> SubmitAsync(
        SubmitTask task, Caller caller, HttpRequest request, TaskSubmission submission, CancellationToken cancellationToken)
    {
        if (!TryReadKey(request, out var key)) return Problems.BadRequest(IdempotencyKeys.Header, IdempotencyKeys.Rule);
        return await submission.SubmitAsync(task, caller, key, TraceParentOf(request), cancellationToken) switch
        {
            SubmitOutcome.Accepted { IsRepeat: true, Tasks: [var repeated] } => TypedResults.Ok(repeated),
            SubmitOutcome.Accepted { Tasks: [var made] } => TypedResults.Created($"/api/v1/tasks/{made.Id}", made),
            var refusal => Answer(refusal),
        };
    }

    private static async Task<Results<Created<ItemsOf<TaskView>>, Ok<ItemsOf<TaskView>>, ProblemHttpResult>> SubmitBatchAsync(
        SubmitTaskBatch batch, Caller caller, HttpRequest request, TaskSubmission submission, CancellationToken cancellationToken)
    {
        if (!TryReadKey(request, out var key)) return Problems.BadRequest(IdempotencyKeys.Header, IdempotencyKeys.Rule);
        if (batch.Tasks is not { Count: > 0 and <= LargestBatch })
        {
            var faults = new Faults();
            faults.Add("tasks", $"must be 1 to {LargestBatch} tasks");
            return Problems.Unprocessable(faults);
        }

        return await submission.SubmitBatchAsync(batch, caller, key, TraceParentOf(request), cancellationToken) switch
        {
            SubmitOutcome.Accepted { IsRepeat: true } repeated => TypedResults.Ok(new ItemsOf<TaskView>(repeated.Tasks)),
            SubmitOutcome.Accepted made => TypedResults.Created((string?)null, new ItemsOf<TaskView>(made.Tasks)),
            var refusal => Answer(refusal),
        };
    }

    private static ProblemHttpResult Answer(SubmitOutcome refusal) => refusal switch
    {
        SubmitOutcome.Refused refused => Problems.Unprocessable(refused.Faults),
        SubmitOutcome.TooLarge tooLarge => Problems.TooLarge($"{tooLarge.Field} must be at most 1 MiB of UTF-8."),
        _ => throw new UnreachableException($"A submit came to {refusal.GetType().Name}."),
    };

    /// <summary>The trace goes on in the task; where nothing here records it, as the caller gave it.</summary>
    internal static string? TraceParentOf(HttpRequest request)
    {
        if (Activity.Current is { IdFormat: ActivityIdFormat.W3C, Id: { } current }) return current;
        var given = request.Headers.TraceParent.ToString();
        return ActivityContext.TryParse(given, traceState: null, out _) ? given : null;
    }

    internal static bool TryReadKey(HttpRequest request, out string? key)
    {
        var given = request.Headers[IdempotencyKeys.Header];
        key = given.Count == 0 ? null : given[0];
        return given.Count == 0 || (given.Count == 1 && IdempotencyKeys.IsValid(given[0] ?? ""));
    }
}
