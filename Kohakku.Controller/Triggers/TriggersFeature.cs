using Kohakku.Controller.Targets;
using Kohakku.Controller.Triggers.Hooks;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Triggers;

/// <summary>What begins when somebody outside says so: signed calls, mapped to tasks and runs. It needs those to be submitted.</summary>
internal static class TriggersFeature
{
    public static WebApplicationBuilder AddTriggers(this WebApplicationBuilder builder)
    {
        builder.AddTargets();
        builder.Services.AddSingleton(TriggerOptions.Read(builder.Settings()));
        builder.Services.AddSingleton<TriggerSecrets>().AddSingleton<TriggerRegistry>().AddSingleton<TriggerQueries>().AddSingleton<TriggerTest>().AddSingleton<TriggerMetrics>();
        builder.Services.AddSingleton<HookGate>().AddSingleton<HookDelivery>().AddSingleton<DeliveryLog>();
        return builder;
    }

    public static void MapTriggers(this IEndpointRouteBuilder endpoints)
    {
        TriggerEndpoints.Map(endpoints);
        HookEndpoint.Map(endpoints);
    }
}
