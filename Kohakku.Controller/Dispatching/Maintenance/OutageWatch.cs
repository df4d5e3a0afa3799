namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>
/// Decides whether a silent dispatcher may be held to be lost: only where controllers and Postgres were there to hear it for a whole
/// lease. Their own outage (a restart, a machine asleep, a database away) must kill nobody's work. Looks at the database's clock alone.
/// </summary>
/// <param name="lease">How long an attempt lives without a heartbeat.</param>
/// <param name="longestGap">Two observations further apart than this had an outage between them.</param>
internal sealed class OutageWatch(TimeSpan lease, TimeSpan longestGap)
{
    private DateTimeOffset? hearingSince;
    private DateTimeOffset last;

    /// <summary>Called each round with what the database says; true when all was well for a lease.</summary>
    public bool MayReap(DateTimeOffset databaseNow, DateTimeOffset databaseStartedAt)
    {
        // A clock set back is a gap too.
        if (hearingSince is null || databaseNow - last > longestGap || databaseNow < last) hearingSince = databaseNow;
        last = databaseNow;
        return databaseNow - hearingSince >= lease && databaseNow - databaseStartedAt >= lease;
    }

    /// <summary>The database could not be asked.</summary>
    public void Failed() => hearingSince = null;
}
