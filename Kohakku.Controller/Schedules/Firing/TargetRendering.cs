using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Templates;

namespace Kohakku.Controller.Schedules.Firing;

/// <summary>What a firing begins, once the texts of the schedule's target are rendered.</summary>
internal static class TargetRendering
{
    /// <exception cref="TemplateException">A template can't be rendered.</exception>
    /// <exception cref="JsonException">What one came to has the wrong kind.</exception>
    public static SubmitTask Task(SubmitTask task, TemplateScope scope) => Template.Value(JsonSerializer.SerializeToElement(task, ContractsJson.Default.SubmitTask), scope)
        .Deserialize(ContractsJson.Default.SubmitTask)!;

    /// <inheritdoc cref="Task"/>
    public static StartRun Run(ScheduleTarget target, TemplateScope scope) => new() { Inputs = target.Inputs is { } inputs ? Template.Value(inputs, scope) : null };

    /// <summary><c>schedule.name</c>, <c>schedule.time</c> and <c>schedule.local_time</c>.</summary>
    public static TemplateScope Scope(string schedule, DateTimeOffset scheduledAt, TimeZoneInfo zone) => new()
    {
        Others = new Dictionary<string, JsonElement>
        {
            ["schedule"] = JsonSerializer.SerializeToElement(new Dictionary<string, string>
            {
                ["name"] = schedule,
                ["time"] = scheduledAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ssK", System.Globalization.CultureInfo.InvariantCulture),
                ["local_time"] = TimeZoneInfo.ConvertTime(scheduledAt, zone).ToString("yyyy-MM-dd'T'HH:mm:sszzz", System.Globalization.CultureInfo.InvariantCulture),
            }),
        },
    };
}
