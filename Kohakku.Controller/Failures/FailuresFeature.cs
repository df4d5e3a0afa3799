using Kohakku.Controller.Dispatching.Outbox;

namespace Kohakku.Controller.Failures;

/// <summary>What broke, since when, how often, what changed: failed attempts in groups of the same failure.</summary>
internal static class FailuresFeature
{
    public static WebApplicationBuilder AddFailures(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<FailureQueries>().AddSingleton<FailureSteering>().AddSingleton<IOutboxHandler, FailureHandler>();
        return builder;
    }

    public static void MapFailures(this IEndpointRouteBuilder endpoints) => FailureEndpoints.Map(endpoints);
}
