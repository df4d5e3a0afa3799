using Kohakku.Contracts.Dispatching;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary><c>PUT /agent/v1/artifacts/{path}</c>: streamed through to the object storage; the same path replaces.</summary>
internal static class ArtifactEndpoint
{
    public static async Task<Results<Ok<ArtifactData>, ProblemHttpResult>> StoreAsync(
        string? path, HttpContext context, ArtifactStore store, CancellationToken cancellationToken)
    {
        path ??= "";
        if (ArtifactPath.FaultOf(path) is { } fault) return Problems.BadRequest("path", fault);
        var attempt = context.Attempt();
        // An agent that computes while it uploads may be slow.
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
        var contentType = context.Request.ContentType is { Length: > 0 and <= 200 } given ? given : "application/octet-stream";
        try
        {
            var artifact = await store.StoreAsync(attempt, path, context.Request.Body, contentType, cancellationToken);
            return artifact is null ? Problems.Conflict(AgentAuthentication.StaleDetail) : TypedResults.Ok(artifact);
        }
        catch (ArtifactLimitException limit)
        {
            return Problems.TooLarge(limit.Message);
        }
        catch (ObjectStorageException away)
        {
            return Problems.Unavailable(away.Message);
        }
    }
}
