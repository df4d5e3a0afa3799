using System.Net.Sockets;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary>The agent protocol, <c>/agent/v1</c>: over the agents' Unix socket, and over TCP for runners without one.</summary>
internal static class AgentEndpoints
{
    private const int LargestEvents = 1024 * 1024;
    private const int LargestBody = 2 * 1024 * 1024;

    public static void MapAgentApi(this IEndpointRouteBuilder endpoints)
    {
        var agent = endpoints.MapGroup("/agent/v1").RequireAttempt();
        agent.MapGet("/brief", BriefEndpoint.ReadAsync);
        agent.MapGet("/skills/{name}", SkillEndpoint.ReadAsync);
        agent.MapPost("/heartbeat", HeartbeatEndpoint.BeatAsync).HearsStops();
        agent.MapPost("/events", EventsEndpoint.TakeAsync).WithMetadata(new RequestSizeLimitAttribute(LargestEvents));
        agent.MapPut("/artifacts/{**path}", ArtifactEndpoint.StoreAsync).WithMetadata(new DisableRequestSizeLimitAttribute());
        agent.MapPost("/questions", QuestionEndpoints.AskAsync).WithMetadata(new RequestSizeLimitAttribute(LargestBody));
        agent.MapGet("/questions/{id:guid}", QuestionEndpoints.ReadAsync);
        agent.MapPost("/result", ResultEndpoint.PostAsync).WithMetadata(new RequestSizeLimitAttribute(LargestBody));
        agent.MapPost("/tasks", NotInThisRelease);
        agent.MapGet("/tasks/{id:guid}", NotInThisRelease);
        agent.Map("/mcp", NotInThisRelease);
    }

    /// <summary>Agents are let through to their protocol alone: whatever else this process serves is not on their socket.</summary>
    public static void UseAgentSocketFence(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        var isAgentSocket = context.Features.Get<IConnectionSocketFeature>()?.Socket.AddressFamily == AddressFamily.Unix;
        if (!isAgentSocket || context.Request.Path.StartsWithSegments("/agent/v1") || context.Request.Path == "/health") return next(context);
        return Problems.NotFound("Only /agent/v1 is served here.").ExecuteAsync(context);
    });

    private static ProblemHttpResult NotInThisRelease() => TypedResults.Problem(
        "Sub-tasks and MCP are not in this release.", statusCode: StatusCodes.Status501NotImplemented, title: "Not implemented", type: "not-implemented");
}
