using Kohakku.Controller.Schedules.Firing;
using Kohakku.Controller.Targets;

namespace Kohakku.Controller.Schedules;

/// <summary>Schedules: what people say of them is here; the scheduler's process makes them fire.</summary>
internal static class SchedulesFeature
{
    public static WebApplicationBuilder AddSchedules(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ScheduleRegistry>().AddSingleton<ScheduleQueries>().AddSingleton<ScheduleTriggers>();
        return builder;
    }

    /// <summary>What makes them fire. It needs tasks and runs to be submitted.</summary>
    public static WebApplicationBuilder AddScheduleFiring(this WebApplicationBuilder builder)
    {
        builder.AddTargets();
        builder.Services.AddSingleton<DueSchedules>().AddSingleton<FiringTarget>().AddSingleton<PendingFirings>();
        return builder;
    }

    public static void MapSchedules(this IEndpointRouteBuilder endpoints) => ScheduleEndpoints.Map(endpoints);
}
