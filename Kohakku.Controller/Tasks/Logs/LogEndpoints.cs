using System.Globalization;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Tasks.Logs;

internal static class LogEndpoints
{
    private const int LongestTail = 100_000;

    public static void MapLogs(this RouteGroupBuilder tasks) =>
        tasks.MapGet("/{id:guid}/logs", ReadAsync).RequireAuthorization(Policies.Viewer).WithName("ReadTaskLogs").Produces<string>(contentType: "text/plain");

    private static async Task<IResult> ReadAsync(
        Guid id, Caller caller, HttpContext context, NpgsqlDataSource database, LogStream stream, IHostApplicationLifetime host, CancellationToken cancellationToken)
    {
        if (!TryParse(context.Request.Query, out var request, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        if (await TaskWithLogs.ReadAsync(database, caller.ProjectId, id, cancellationToken) is not { } task) return TaskProblems.NotFound(id);
        if (request.Attempt is { } number && task.Attempts.All(attempt => attempt.Number != number)) return Problems.NotFound($"The task has no attempt {number}.");

        context.Response.ContentType = "text/plain; charset=utf-8";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, host.ApplicationStopping);
        try
        {
            // The client learns at once that it is connected, though the first line may be long in coming.
            if (request.Follow) await context.Response.Body.FlushAsync(ending.Token);
            await stream.SendAsync(context.Response.Body, caller.ProjectId, id, task, request, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The client went away, or the process stops.
        }

        return TypedResults.Empty;
    }

    private static bool TryParse(IQueryCollection query, out LogRequest request, out (string Field, string Rule) fault)
    {
        fault = default;
        request = new LogRequest(null, query["follow"] == "true", null);
        if (query["follow"].ToString() is not ("" or "true" or "false")) fault = ("follow", "must be true or false");
        else if (!TryParse(query["attempt"], 1, int.MaxValue, out var attempt)) fault = ("attempt", "must be the number of an attempt");
        else if (!TryParse(query["tail"], 0, LongestTail, out var tail)) fault = ("tail", $"must be a number of lines from 0 to {LongestTail}");
        else request = request with { Attempt = attempt, Tail = tail };
        return fault.Field is null;
    }

    private static bool TryParse(string? text, int min, int max, out int? number)
    {
        number = null;
        if (string.IsNullOrEmpty(text)) return true;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) || parsed < min || parsed > max) return false;
        number = parsed;
        return true;
    }
}
