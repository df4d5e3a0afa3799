using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Kohakku.Controller.Targets;

/// <summary>What schedules and triggers begin. It needs tasks and runs to be submitted.</summary>
internal static class TargetsFeature
{
    /// <summary>Each feature that begins something asks for it.</summary>
    public static void AddTargets(this WebApplicationBuilder builder) => builder.Services.TryAddSingleton<TargetStart>();
}
