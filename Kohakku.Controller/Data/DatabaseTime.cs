namespace Kohakku.Controller.Data;

internal static class DatabaseTime
{
    /// <summary>Now, as exact as a column keeps it: what is answered at once and what is read later are then the same.</summary>
    public static DateTimeOffset GetColumnNow(this TimeProvider time)
    {
        var now = time.GetUtcNow();
        return now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMicrosecond));
    }
}
