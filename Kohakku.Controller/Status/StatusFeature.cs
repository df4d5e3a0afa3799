using Kohakku.Contracts.Status;
using Kohakku.Controller.Identity;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Status;

/// <summary>How the installation stands. The scheduler probes; here it is read.</summary>
internal static class StatusFeature
{
    public static WebApplicationBuilder AddStatus(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<StatusQueries>();
        return builder;
    }

    public static void MapStatus(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/status", ReadAsync).WithTags("Status").RequireAuthorization(Policies.Viewer).WithName("GetStatus");

    private static async Task<Ok<StatusView>> ReadAsync(Caller caller, StatusQueries status, CancellationToken cancellationToken) =>
        TypedResults.Ok(await status.ReadAsync(caller.ProjectId, cancellationToken));
}
