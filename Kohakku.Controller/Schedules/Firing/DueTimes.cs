using Kohakku.Contracts.Schedules;

namespace Kohakku.Controller.Schedules.Firing;

/// <summary>What is to be done about a schedule whose next time has come.</summary>
/// <param name="Firing">The times that fire, oldest first.</param>
/// <param name="LeftOut">The newest time that passed while no scheduler ran and is not made up for; null when there is none.</param>
/// <param name="Next">The first time after now.</param>
internal sealed record DueTimes(IReadOnlyList<DateTimeOffset> Firing, DateTimeOffset? LeftOut, DateTimeOffset? Next)
{
    /// <summary>A time that is noticed within this is on time, whatever the policy: a restart in between is no downtime.</summary>
    public static readonly TimeSpan OnTime = TimeSpan.FromMinutes(1);

    /// <summary>How many are made up for at once; the oldest are left out beyond that.</summary>
    public const int MostAtOnce = 1_000;

    /// <param name="next">Its first time that is not a firing yet; not after <paramref name="now"/>.</param>
    public static DueTimes Of(Cadence cadence, CatchUpPolicy policy, TimeSpan window, DateTimeOffset next, DateTimeOffset now)
    {
        var onTime = now - OnTime;
        var oldest = policy == CatchUpPolicy.Skip || window < OnTime ? onTime : now - window;
        var firing = new Queue<DateTimeOffset>();
        DateTimeOffset? leftOut = next < oldest ? cadence.Between(next, oldest.AddTicks(-1)).Cast<DateTimeOffset?>().LastOrDefault() : null;
        foreach (var time in cadence.Between(next < oldest ? oldest : next, now))
        {
            // Of what was missed, only the newest counts; and not even that once a time was not missed.
            var most = policy == CatchUpPolicy.Last && firing.TryPeek(out var first) && first < onTime ? 1 : MostAtOnce;
            while (firing.Count >= most) leftOut = firing.Dequeue();
            firing.Enqueue(time);
        }

        return new DueTimes([.. firing], leftOut, cadence.After(now));
    }
}
