using System.Globalization;
using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Console.Targets;

namespace Kohakku.Controller.Console.Schedules;

/// <summary>Schedules in words for a person.</summary>
internal static class ScheduleWords
{
    public static string Times(ScheduleView schedule) => schedule.Cron is { } cron ? $"{cron} · {schedule.TimeZone}" : $"every {schedule.Every}";

    public static string Of(OverlapPolicy policy) => policy switch
    {
        OverlapPolicy.Skip => "Leave it out",
        OverlapPolicy.Queue => "Wait for the one before",
        OverlapPolicy.CancelRunning => "Cancel the one before",
        _ => "Run side by side",
    };

    public static string Of(CatchUpPolicy policy) => policy switch
    {
        CatchUpPolicy.Skip => "Leave them out",
        CatchUpPolicy.Last => "Make up for the newest",
        _ => "Make up for all",
    };

    public static string Of(FiringCause cause) => cause switch
    {
        FiringCause.Due => "was due",
        FiringCause.Manual => "run now",
        _ => "backfill",
    };

    public static string Tone(FiringView firing) => firing.Status switch
    {
        FiringState.Failed => "bad",
        FiringState.Pending => "soon",
        FiringState.Skipped => "calm",
        _ => TargetWords.Tone(firing.TargetStatus),
    };

    /// <summary>Of one that began: how its task or run stands.</summary>
    public static string Of(FiringView firing) => firing.Status switch
    {
        FiringState.Pending => "Waits",
        FiringState.Skipped => "Left out",
        FiringState.Failed => "Not begun",
        _ => TargetWords.Status(firing.TargetStatus),
    };

    public static string Length(int seconds) => seconds switch
    {
        < 120 => $"{seconds} s",
        < 2 * 3_600 => $"{seconds / 60} min",
        < 2 * 86_400 => $"{seconds / 3_600} h",
        _ => $"{seconds / 86_400} days",
    };

    /// <summary>By the clocks of a zone, with its offset, since that is what the schedule goes by.</summary>
    public static string Local(DateTimeOffset time, string zone) =>
        TimeZoneInfo.ConvertTime(time, TimeZoneInfo.FindSystemTimeZoneById(zone)).ToString("ddd d MMM yyyy HH:mm:ss zzz", CultureInfo.InvariantCulture);
}
