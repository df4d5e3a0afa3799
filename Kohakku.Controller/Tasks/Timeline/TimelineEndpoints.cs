using System.Globalization;
using Kohakku.Contracts;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Timeline;

internal static class TimelineEndpoints
{
    private const string LastEventId = "Last-Event-ID";

    public static void MapTimeline(this RouteGroupBuilder tasks) =>
        tasks.MapGet("/{id:guid}/events", ReadAsync).RequireAuthorization(Policies.Viewer).WithName("ListTaskEvents")
            .Produces<Page<TaskEventView>>().Produces(StatusCodes.Status200OK, contentType: "text/event-stream");

    /// <summary>The timeline, oldest first: a page as JSON, or, where the client accepts it, live.</summary>
    private static async Task<IResult> ReadAsync(
        Guid id, Caller caller, HttpContext context, TaskTimeline timeline, EventStream stream, CancellationToken cancellationToken)
    {
        var query = context.Request.Query;
        var isLive = AcceptsEventStream(context.Request);
        var resumed = isLive ? context.Request.Headers[LastEventId].ToString() : "";
        if (!TryParseId(resumed, out var lastSeen)) return Problems.BadRequest(LastEventId, "must be the id of an event of this task");
        if (!TryParseId(query["after"].ToString(), out var after)) return Problems.BadRequest("after", "must be the id of an event of this task");
        if (!TryParseId(query["cursor"].ToString(), out var cursor)) return Problems.BadRequest("cursor", Cursor.Rule);
        if (!Cursor.TryParseLimit(query["limit"], out var limit)) return Problems.BadRequest("limit", $"must be from 1 to {Cursor.MaxLimit}");
        after = Math.Max(lastSeen, Math.Max(after, cursor));

        var first = await timeline.ReadAsync(caller.ProjectId, id, after, isLive ? 0 : limit, cancellationToken);
        if (first is null) return TaskProblems.NotFound(id);
        if (!isLive)
        {
            var next = first.Entries.Count == limit && first.Entries[^1].Id < first.Newest ? first.Entries[^1].Id.ToString(CultureInfo.InvariantCulture) : null;
            return TypedResults.Ok(new Page<TaskEventView>(first.Entries, next));
        }

        // To a browser's EventSource, which comes back whenever a stream ends, this says that there is nothing to come back for.
        if (resumed.Length > 0 && first.EndsAt(after)) return TypedResults.NoContent();
        await stream.SendAsync(context.Response, caller.ProjectId, id, after, cancellationToken);
        return TypedResults.Empty;
    }

    private static bool AcceptsEventStream(HttpRequest request) =>
        request.GetTypedHeaders().Accept.Any(accepted => accepted.MediaType.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase));

    private static bool TryParseId(string text, out long id)
    {
        id = 0;
        return text.Length == 0 || long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);
    }
}
