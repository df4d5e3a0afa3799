using Kohakku.Dispatcher.Attempts;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary>
/// The token is the attempt: 401 for one that opens none, 409 for one whose attempt has ended or belongs to somebody else. It wraps the
/// endpoints instead of filtering them, so that nothing is parsed of a body before its sender is known.
/// </summary>
internal static class AgentAuthentication
{
    public const string StaleDetail = "This attempt is over: its token opens nothing any more.";
    private const string Scheme = "Bearer ";

    public static TBuilder RequireAttempt<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint =>
        {
            var next = endpoint.RequestDelegate ?? throw new InvalidOperationException("Only an endpoint with a handler can require an attempt.");
            endpoint.RequestDelegate = context =>
            {
                var hearsStops = context.GetEndpoint()?.Metadata.GetMetadata<HearsStopsMetadata>() is not null;
                var refusal = Admit(context, hearsStops);
                return refusal is null ? next(context) : refusal.ExecuteAsync(context);
            };
        });
        return builder;
    }

    /// <summary>The endpoint also answers attempts that are killed because they belong to somebody else, which must hear of it somewhere.</summary>
    public static TBuilder HearsStops<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new HearsStopsMetadata());

    /// <summary>The attempt that the request's token opened.</summary>
    public static Attempt Attempt(this HttpContext context) => context.Features.GetRequiredFeature<Attempt>();

    private static ProblemHttpResult? Admit(HttpContext context, bool hearsStops)
    {
        var header = context.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
            return Problems.Unauthorized("Authorization: Bearer and the attempt's token (KOHAKKU_TOKEN) are required.");
        var token = TokenHash.Of(header[Scheme.Length..].Trim());
        var attempts = context.RequestServices.GetRequiredService<AttemptTable>();
        // Read before the lookup: what is added in between is then only asked for once more.
        var isComplete = attempts.IsComplete;
        if (attempts.Find(token) is not { } attempt)
        {
            if (!isComplete) return Problems.Unavailable("This dispatcher has just started and is taking over its agents; ask again.");
            return attempts.WasKnown(token) ? Problems.Conflict(StaleDetail) : Problems.Unauthorized("No attempt of this dispatcher has this token.");
        }
        if (attempt.Status.IsOver || (!hearsStops && !attempt.Status.IsOpen)) return Problems.Conflict(StaleDetail);
        attempt.SignOfLife();
        context.Features.Set(attempt);
        return null;
    }

    private sealed class HearsStopsMetadata;
}
