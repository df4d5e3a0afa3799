using System.Globalization;
using System.Text.Json;
using Kohakku.Contracts;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.Controller.Tasks.Timeline;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Temporalio.Exceptions;

namespace Kohakku.Controller.Workflows.Runs;

internal static class RunEndpoints
{
    private const int LongestComment = 4_000;
    private const int LargestSignal = 64 * 1024;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/workflows/{name}/runs", StartAsync).WithTags("Runs").RequireAuthorization(Policies.Operator).WithName("StartRun");
        var runs = endpoints.MapGroup("/runs").WithTags("Runs");
        runs.MapGet("", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListRuns");
        runs.MapGet("/{id:guid}", FindAsync).RequireAuthorization(Policies.Viewer).WithName("GetRun");
        runs.MapGet("/{id:guid}/events", ReadEventsAsync).RequireAuthorization(Policies.Viewer).WithName("ListRunEvents")
            .Produces<Page<RunEventView>>().Produces(StatusCodes.Status200OK, contentType: "text/event-stream");
        runs.MapGet("/{id:guid}/history", ReadHistoryAsync).RequireAuthorization(Policies.Viewer).WithName("ListRunHistory");
        runs.MapPost("/{id:guid}/approvals/{stepId}", DecideAsync).RequireAuthorization(Policies.Operator).WithName("DecideApproval");
        runs.MapPost("/{id:guid}/signals/{name}", SignalAsync).RequireAuthorization(Policies.Operator).WithName("SignalRun");
        runs.MapPost("/{id:guid}/retry", RetryAsync).RequireAuthorization(Policies.Operator).WithName("RetryRun");
        Steer(runs, "pause", "PauseRun", (steering, id, _, token) => steering.PauseAsync(id, token));
        Steer(runs, "resume", "ResumeRun", (steering, id, _, token) => steering.ResumeAsync(id, token));
        Steer(runs, "cancel", "CancelRun", (steering, id, caller, token) => steering.CancelAsync(id, caller.Name, token));
    }

    private static void Steer(RouteGroupBuilder runs, string verb, string name, Func<RunSteering, Guid, Caller, CancellationToken, Task<SteeredRun>> act) =>
        runs.MapPost($"/{{id:guid}}/{verb}", async Task<Results<Accepted<RunView>, ProblemHttpResult>> (
            Guid id, Caller caller, RunSteering steering, RunQueries queries, CancellationToken cancellationToken) =>
        {
            if (await queries.FindAsync(caller.ProjectId, id, cancellationToken) is null) return NotFound(id);
            var steered = await act(steering, id, caller, cancellationToken);
            if (steered.Refusal is { } refusal) return Problems.Conflict(refusal);
            if (steered.Away is { } away) return Problems.Unavailable(away);
            return TypedResults.Accepted($"/api/v1/runs/{id}", await queries.FindAsync(caller.ProjectId, id, cancellationToken));
        }).RequireAuthorization(Policies.Operator).WithName(name);

    private static async Task<Results<Created<RunView>, Ok<RunView>, ProblemHttpResult>> StartAsync(
        string name, StartRun run, Caller caller, HttpRequest request, RunSubmission submission, RunQueries queries, CancellationToken cancellationToken)
    {
        if (!SubmitEndpoints.TryReadKey(request, out var key)) return Problems.BadRequest(IdempotencyKeys.Header, IdempotencyKeys.Rule);
        return await AnswerAsync(await submission.StartAsync(name, run, caller, key, cancellationToken), caller, queries, cancellationToken);
    }

    private static async Task<Results<Created<RunView>, Ok<RunView>, ProblemHttpResult>> RetryAsync(
        Guid id, RetryRun retry, Caller caller, RunSubmission submission, RunQueries queries, CancellationToken cancellationToken) =>
        await AnswerAsync(await submission.RetryAsync(id, retry.FromStep, caller, cancellationToken), caller, queries, cancellationToken);

    private static async Task<Results<Created<RunView>, Ok<RunView>, ProblemHttpResult>> AnswerAsync(
        RunOutcome outcome, Caller caller, RunQueries queries, CancellationToken cancellationToken)
    {
        switch (outcome)
        {
            case RunOutcome.Made made:
                var view = (await queries.FindAsync(caller.ProjectId, made.Id, cancellationToken))!;
                return made.IsRepeat ? TypedResults.Ok(view) : TypedResults.Created($"/api/v1/runs/{made.Id}", view);
            case RunOutcome.Missing missing: return Problems.NotFound(missing.What);
            case RunOutcome.Conflict conflict: return Problems.Conflict(conflict.Why);
            case RunOutcome.Refused refused: return Problems.Unprocessable(refused.Faults);
            default: throw new InvalidOperationException($"A run came to {outcome.GetType().Name}.");
        }
    }

    private static async Task<Results<Ok<Page<RunSummary>>, ProblemHttpResult>> ListAsync(
        HttpRequest request, Caller caller, RunQueries queries, CancellationToken cancellationToken)
    {
        List<RunState> statuses = [];
        foreach (var word in request.Query["status"].SelectMany(value => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            if (!WireEnum<RunState>.TryParse(word, out var status))
                return Problems.BadRequest("status", $"must be of {string.Join(", ", WireEnum<RunState>.AllNames)}; several are separated by commas");
            statuses.Add(status);
        }

        if (!IdPage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        var workflow = request.Query["workflow"].ToString() is { Length: > 0 } name ? name : null;
        return TypedResults.Ok(await queries.ListAsync(caller.ProjectId, workflow, statuses, page.Before, page.Limit, cancellationToken));
    }

    private static async Task<Results<Ok<RunView>, ProblemHttpResult>> FindAsync(Guid id, Caller caller, RunQueries queries, CancellationToken cancellationToken) =>
        await queries.FindAsync(caller.ProjectId, id, cancellationToken) is { } run ? TypedResults.Ok(run) : NotFound(id);

    /// <summary>The timeline, oldest first: a page as JSON, or, where the client accepts it, live.</summary>
    private static async Task<IResult> ReadEventsAsync(
        Guid id, Caller caller, HttpContext context, RunTimeline timeline, EventStream stream, CancellationToken cancellationToken)
    {
        if (!TimelineRequest.TryParse(context.Request, out var request, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        var (isLive, isResumed, after, limit) = request;
        if (await timeline.ReadAsync(caller.ProjectId, id, after, isLive ? 0 : limit, cancellationToken) is not { } first) return NotFound(id);
        if (!isLive)
        {
            var next = first.Entries.Count == limit && first.Entries[^1].Id < first.Newest ? first.Entries[^1].Id.ToString(CultureInfo.InvariantCulture) : null;
            return TypedResults.Ok(new Page<RunEventView>(first.Entries, next));
        }

        if (isResumed && first.EndsAt(after)) return TypedResults.NoContent();
        await stream.SendAsync(context.Response, id, after, (seen, most, token) => timeline.StreamAsync(caller.ProjectId, id, seen, most, token), cancellationToken);
        return TypedResults.Empty;
    }

    /// <summary>What Temporal wrote of the run: for those who look under the hood.</summary>
    private static async Task<Results<Ok<Page<TemporalEventView>>, ProblemHttpResult>> ReadHistoryAsync(
        Guid id, Caller caller, HttpRequest request, RunTimeline timeline, RunHistory history, CancellationToken cancellationToken)
    {
        if (!Cursor.TryParseLimit(request.Query["limit"], out var limit)) return Problems.BadRequest("limit", $"must be from 1 to {Cursor.MaxLimit}");
        var after = 0L;
        if (request.Query["cursor"].ToString() is { Length: > 0 } cursor && !long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return Problems.BadRequest("cursor", Cursor.Rule);
        if (await timeline.ReadAsync(caller.ProjectId, id, 0, 0, cancellationToken) is null) return NotFound(id);
        try
        {
            return await history.ReadAsync(id, after, limit, cancellationToken) is { } page
                ? TypedResults.Ok(page)
                : Problems.NotFound($"Temporal has no history of run {id}: it has not begun, or its history is not kept any more.");
        }
        catch (RpcException fault)
        {
            return Problems.Unavailable($"Temporal can't be reached: {fault.Message}");
        }
    }

    /// <summary>The first decision counts; any other is a conflict.</summary>
    private static async Task<Results<Ok<RunView>, ProblemHttpResult>> DecideAsync(
        Guid id, string stepId, DecideApproval decision, Caller caller, RunAnswers answers, RunQueries queries, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        if (decision.Decision is not (ApprovalWords.Approve or ApprovalWords.Reject)) faults.Add("decision", "must be approve or reject");
        if (decision.Comment is { Length: > LongestComment }) faults.Add("comment", $"must be at most {LongestComment} characters");
        if (decision.Comment?.Contains('\0') == true) faults.Add("comment", "must not contain the character U+0000");
        if (faults.Any) return Problems.Unprocessable(faults);
        return await answers.DecideAsync(caller.ProjectId, id, stepId, decision.Decision == ApprovalWords.Approve, decision.Comment, caller.Name, cancellationToken) switch
        {
            Answered.Done => TypedResults.Ok((await queries.FindAsync(caller.ProjectId, id, cancellationToken))!),
            Answered.NotFound => Problems.NotFound($"Run {id} asks for no approval at a step '{stepId}' (yet), or there is no such run in this project."),
            _ => Problems.Conflict("It was decided before, its time is over, or the run has gone on without it."),
        };
    }

    private static async Task<Results<Accepted<ReceivedSignal>, ProblemHttpResult>> SignalAsync(
        Guid id, string name, JsonElement body, Caller caller, RunAnswers answers, TimeProvider time, CancellationToken cancellationToken)
    {
        if (name.Length > 63 || !name.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-'))
            return Problems.BadRequest("name", "must be 1 to 63 letters, digits, hyphens and underscores");
        if (body.GetRawText().Length > LargestSignal) return Problems.TooLarge($"A signal's body has at most {LargestSignal / 1024} KiB; what is larger belongs into an artifact.");
        var signal = Guid.CreateVersion7(time.GetUtcNow());
        return await answers.SignalAsync(caller.ProjectId, id, signal, name, body, caller.Name, cancellationToken) switch
        {
            Answered.Done => TypedResults.Accepted((string?)null, new ReceivedSignal(signal)),
            Answered.NotFound => NotFound(id),
            Answered.TooMany => Problems.Conflict("1,000 signals of this run wait to be taken; no more are kept."),
            _ => Problems.Conflict("The run has ended."),
        };
    }

    private static ProblemHttpResult NotFound(Guid id) => Problems.NotFound($"There is no run {id} in this project.");
}
