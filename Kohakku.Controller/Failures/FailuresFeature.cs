using Kohakku.Controller.Dispatching.Outbox;
using Kohakku.Controller.Failures.Digest;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Failures;

/// <summary>What broke, since when, how often, what changed: failed attempts in groups of the same failure.</summary>
internal static class FailuresFeature
{
    public static WebApplicationBuilder AddFailures(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<FailureQueries>().AddSingleton<FailureSteering>().AddSingleton<IOutboxHandler, FailureHandler>();
        return builder;
    }

    /// <summary>What tells of them once a day.</summary>
    public static WebApplicationBuilder AddFailureDigests(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(SmtpOptions.Read(builder.Settings())).AddSingleton<Digests>().AddSingleton<DigestEmails>();
        return builder;
    }

    public static void MapFailures(this IEndpointRouteBuilder endpoints) => FailureEndpoints.Map(endpoints);
}
