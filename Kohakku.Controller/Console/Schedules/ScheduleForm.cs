using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Console.Targets;
using Kohakku.Controller.Schedules;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Console.Schedules;

/// <summary>A schedule as it stands in the form.</summary>
internal sealed class ScheduleForm
{
    public string Name { get; set; } = "";
    public bool ByCron { get; set; } = true;
    public string? Cron { get; set; } = "0 3 * * *";
    public string? Every { get; set; } = "15m";
    public string TimeZone { get; set; } = "UTC";
    public TargetForm Target { get; set; } = new();
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
        Target = TargetForm.Of(schedule.Target),
        Overlap = schedule.Overlap,
        CatchUp = schedule.CatchUp,
        CatchUpWindowSeconds = schedule.CatchUpWindowSeconds,
        JitterSeconds = schedule.JitterSeconds,
        StartAt = schedule.StartAt,
        EndAt = schedule.EndAt,
        Enabled = schedule.Enabled,
    };

    /// <summary>The request that a program would send; what can't be read goes to <paramref name="faults"/>. All rules besides are the API's own.</summary>
    public PutSchedule ToRequest(Faults faults) => new()
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
        Target = Target.ToTarget(faults),
    };

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
}
