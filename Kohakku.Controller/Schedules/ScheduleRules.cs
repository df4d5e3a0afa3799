using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Targets;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Schedules;

/// <summary>What a schedule must be; every fault is named. Whether its agent or workflow is there shows when it fires: it may be made later.</summary>
internal static class ScheduleRules
{
    public const int LongestCatchUpSeconds = 30 * 86_400;
    private const int LongestJitterSeconds = 86_400;

    public static bool IsName(string name) => AgentRules.IsName(name);

    public static void Check(string name, PutSchedule schedule, DateTimeOffset now, Faults faults)
    {
        if (!IsName(name)) faults.Add("name", AgentRules.NameRule);
        try
        {
            _ = Cadence.Of(schedule.Cron, schedule.Every, schedule.TimeZone ?? "UTC", schedule.StartAt, schedule.EndAt);
        }
        catch (CadenceException fault)
        {
            faults.Add(fault.Field, fault.Message);
        }

        if (schedule.EndAt <= schedule.StartAt) faults.Add("endAt", "must be after startAt");
        LimitRules.Range(schedule.CatchUpWindowSeconds, 0, LongestCatchUpSeconds, "catchUpWindowSeconds", faults);
        LimitRules.Range(schedule.JitterSeconds, 0, LongestJitterSeconds, "jitterSeconds", faults);
        TargetRules.Check(schedule.Target, now, faults);
    }
}
