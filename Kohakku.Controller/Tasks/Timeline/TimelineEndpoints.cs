using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Kohakku.Contracts;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Timeline;

internal static class TimelineEndpoints
{
    public static void MapTimeline(this RouteGroupBuilder tasks) =>
        tasks.MapGet("/{id:guid}/events", ReadAsync).RequireAuthorization(Policies.Viewer).WithName("ListTaskEvents")
            .Produces<Page<TaskEventView>>().Produces(StatusCodes.Status200OK, contentType: "text/event-stream");

    /// <summary>The timeline, oldest first: a page as JSON, or, where the client accepts it, live.</summary>
    private static async Task<IResult> ReadAsync(
        Guid id, Caller caller, HttpContext context, TaskTimeline timeline, EventStream stream, CancellationToken cancellationToken)
    {
        if (!TimelineRequest.TryParse(context.Request, out var request, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        var (isLive, isResumed, after, limit) = request;
        var first = await timeline.ReadAsync(caller.ProjectId, id, after, isLive ? 0 : limit, cancellationToken);
        if (first is null) return TaskProblems.NotFound(id);
        if (!isLive)
        {
            var next = first.Entries.Count == limit && first.Entries[^1].Id < first.Newest ? first.Entries[^1].Id.ToString(CultureInfo.InvariantCulture) : null;
            return TypedResults.Ok(new Page<TaskEventView>(first.Entries, next));
        }

        // To a browser's EventSource, which comes back whenever a stream ends, this says that there is nothing to come back for.
        if (isResumed && first.EndsAt(after)) return TypedResults.NoContent();
        await stream.SendAsync(
            context.Response, id, after, (seen, most, token) => timeline.StreamAsync(caller.ProjectId, id, seen, most, token), cancellationToken);
        return TypedResults.Empty;
    }
}

/// <summary>From where on, how much, and whether live: the same for the timelines of tasks and of runs.</summary>
/// <param name="Resumed">A browser comes back to a stream that it had.</param>
internal sealed record TimelineRequest(bool Live, bool Resumed, long After, int Limit)
{
    private const string LastEventId = "Last-Event-ID";

    /// <param name="fault">The field and the rule it breaks, where the answer is false.</param>
    public static bool TryParse(HttpRequest request, [NotNullWhen(true)] out TimelineRequest? parsed, out (string Field, string Rule) fault)
    {
        parsed = null;
        fault = default;
        var query = request.Query;
        var isLive = request.GetTypedHeaders().Accept.Any(accepted => accepted.MediaType.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase));
        var resumed = isLive ? request.Headers[LastEventId].ToString() : "";
        if (!TryParseId(resumed, out var lastSeen)) fault = (LastEventId, "must be the id of an event of this timeline");
        else if (!TryParseId(query["after"].ToString(), out var after)) fault = ("after", "must be the id of an event of this timeline");
        else if (!TryParseId(query["cursor"].ToString(), out var cursor)) fault = ("cursor", Cursor.Rule);
        else if (!Cursor.TryParseLimit(query["limit"], out var limit)) fault = ("limit", $"must be from 1 to {Cursor.MaxLimit}");
        else parsed = new TimelineRequest(isLive, resumed.Length > 0, Math.Max(lastSeen, Math.Max(after, cursor)), limit);
        return parsed is not null;
    }

    private static bool TryParseId(string text, out long id)
    {
        id = 0;
        return text.Length == 0 || long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);
    }
}
