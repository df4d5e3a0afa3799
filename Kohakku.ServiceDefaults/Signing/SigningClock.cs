using System.Diagnostics.Metrics;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// The clock that calls are signed by: this machine's, corrected by what the verifier last said its own is. Shared by all
/// <see cref="SigningHandler"/>s of the process; any thread may read and correct it.
/// </summary>
internal sealed class SigningClock
{
    private readonly TimeProvider _time;
    private long _skewTicks;

    public SigningClock(TimeProvider time, IMeterFactory meters)
    {
        _time = time;
        meters.Create("Kohakku.Signing").CreateObservableGauge(
            "kohakku.signing.clock_skew", () => Skew.TotalSeconds, "s", "How far the verifier's clock is ahead of this machine's.");
    }

    /// <summary>How far the verifier's clock is ahead of this machine's; zero until it complains.</summary>
    public TimeSpan Skew => TimeSpan.FromTicks(Interlocked.Read(ref _skewTicks));

    public DateTimeOffset Now => _time.GetUtcNow() + Skew;

    public void Correct(DateTimeOffset serverTime) => Interlocked.Exchange(ref _skewTicks, (serverTime - _time.GetUtcNow()).Ticks);
}
