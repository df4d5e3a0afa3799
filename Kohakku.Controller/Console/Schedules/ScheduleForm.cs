using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Schedules;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Console.Schedules;

/// <summary>A schedule as it stands in the form. What the form has no field for (a task's limits, its tags …) is kept as it was.</summary>
internal sealed class ScheduleForm
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private SubmitTask? _task;

    public string Name { get; set; } = "";
    public bool ByCron { get; set; } = true;
    public string? Cron { get; set; } = "0 3 * * *";
    public string? Every { get; set; } = "15m";
    public string TimeZone { get; set; } = "UTC";
    public bool OfTask { get; set; } = true;
    public string? Agent { get; set; }
    public string? Title { get; set; }
    public string? Brief { get; set; }
    public string? Workflow { get; set; }
    /// <summary>Of the task or of the run: a JSON object.</summary>
    public string? Inputs { get; set; }
    public OverlapPolicy Overlap { get; set; }
    public CatchUpPolicy CatchUp { get; set; } = CatchUpPolicy.Last;
    public int? CatchUpWindowSeconds { get; set; }
    public int? JitterSeconds { get; set; }
    public DateTimeOffset? StartAt { get; private init; }
    public DateTimeOffset? EndAt { get; private init; }
    public bool Enabled { get; private init; } = true;

    public static ScheduleForm Of(ScheduleView schedule) => new()
    {
        Name = schedule.Name,
        ByCron = schedule.Cron is not null,
        Cron = schedule.Cron,
        Every = schedule.Every,
        TimeZone = schedule.TimeZone,
        OfTask = schedule.Target.Task is not null,
        _task = schedule.Target.Task,
        Agent = schedule.Target.Task?.Agent,
        Title = schedule.Target.Task?.Title,
        Brief = schedule.Target.Task?.Brief,
        Workflow = schedule.Target.Workflow,
        Inputs = (schedule.Target.Task is { } task ? task.Inputs : schedule.Target.Inputs) is { ValueKind: JsonValueKind.Object } inputs ? JsonSerializer.Serialize(inputs, Indented) : null,
        Overlap = schedule.Overlap,
        CatchUp = schedule.CatchUp,
        CatchUpWindowSeconds = schedule.CatchUpWindowSeconds,
        JitterSeconds = schedule.JitterSeconds,
        StartAt = schedule.StartAt,
        EndAt = schedule.EndAt,
        Enabled = schedule.Enabled,
    };

    /// <summary>The request that a program would send; what can't be read goes to <paramref name="faults"/>. All rules besides are the API's own.</summary>
    public PutSchedule ToRequest(Faults faults)
    {
        var inputs = ReadInputs(faults);
        return new PutSchedule
        {
            Cron = ByCron ? Cron ?? "" : null,
            Every = ByCron ? null : Every ?? "",
            TimeZone = TimeZone,
            StartAt = StartAt,
            EndAt = EndAt,
            Overlap = Overlap,
            CatchUp = CatchUp,
            CatchUpWindowSeconds = CatchUpWindowSeconds,
            JitterSeconds = JitterSeconds,
            Enabled = Enabled,
            Target = OfTask
                ? new WorkTarget
                {
                    Task = (_task ?? new SubmitTask()) with { Agent = Agent, Title = string.IsNullOrWhiteSpace(Title) ? null : Title.Trim(), Brief = Brief?.ReplaceLineEndings("\n"), Inputs = inputs },
                }
                : new WorkTarget { Workflow = Workflow ?? "", Inputs = inputs },
        };
    }

    /// <summary>The times that the form stands for, or what is wrong with them.</summary>
    public (IReadOnlyList<DateTimeOffset> Times, string? Fault) Next(DateTimeOffset now, int count)
    {
        try
        {
            var cadence = Cadence.Of(ByCron ? Cron ?? "" : null, ByCron ? null : Every ?? "", TimeZone, StartAt, EndAt);
            return ([.. cadence.Between(now, DateTimeOffset.MaxValue).Take(count)], null);
        }
        catch (CadenceException fault)
        {
            return ([], $"{fault.Field} {fault.Message}");
        }
    }

    private JsonElement? ReadInputs(Faults faults)
    {
        if (string.IsNullOrWhiteSpace(Inputs)) return null;
        try
        {
            return JsonElement.Parse(Inputs);
        }
        catch (JsonException fault)
        {
            faults.Add("inputs", $"is not valid JSON at line {fault.LineNumber + 1}, position {fault.BytePositionInLine + 1}");
            return null;
        }
    }
}
