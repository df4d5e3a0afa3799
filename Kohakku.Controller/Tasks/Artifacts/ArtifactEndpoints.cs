using System.Globalization;
using Kohakku.Contracts.Storage;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Artifacts;

internal static class ArtifactEndpoints
{
    public static void MapArtifacts(this RouteGroupBuilder tasks)
    {
        tasks.MapGet("/{id:guid}/artifacts", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListArtifacts");
        tasks.MapMethods("/{id:guid}/artifacts/{**path}", [HttpMethods.Get, HttpMethods.Head], DownloadAsync)
            .RequireAuthorization(Policies.Viewer).WithName("DownloadArtifact");
    }

    private static async Task<IResult> ListAsync(
        Guid id, Caller caller, HttpRequest request, ArtifactQueries artifacts, CancellationToken cancellationToken)
    {
        if (!TryParseAttempt(request, out var attempt)) return Problems.BadRequest("attempt", "must be the number of an attempt");
        if (!NamePage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        if (!await artifacts.TaskExistsAsync(caller.ProjectId, id, cancellationToken)) return TaskProblems.NotFound(id);
        return TypedResults.Ok(await artifacts.ListAsync(id, attempt, page, cancellationToken));
    }

    private static async Task<IResult> DownloadAsync(
        Guid id, string path, Caller caller, HttpContext context, ArtifactQueries artifacts, ObjectStorage storage, CancellationToken cancellationToken)
    {
        if (!TryParseAttempt(context.Request, out var attempt)) return Problems.BadRequest("attempt", "must be the number of an attempt");
        if (!await artifacts.TaskExistsAsync(caller.ProjectId, id, cancellationToken)) return TaskProblems.NotFound(id);
        // Only what stands in a row is served, whatever the path says.
        var artifact = path.Contains('\0') ? null : await artifacts.FindAsync(id, path, attempt, cancellationToken);
        if (artifact is null) return Problems.NotFound($"The task has no artifact '{path}'{(attempt is null ? "" : $" of attempt {attempt}")}.");
        await ArtifactDownload.SendAsync(context, artifact, ObjectKeys.Artifact(id, artifact.Attempt, artifact.Path), storage, cancellationToken);
        return TypedResults.Empty;
    }

    private static bool TryParseAttempt(HttpRequest request, out int? attempt)
    {
        attempt = null;
        if (request.Query["attempt"].ToString() is not { Length: > 0 } text) return true;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1) return false;
        attempt = number;
        return true;
    }
}
