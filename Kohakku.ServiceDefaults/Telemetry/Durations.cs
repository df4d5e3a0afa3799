using System.Diagnostics.Metrics;

namespace Kohakku.ServiceDefaults;

/// <summary>How histograms of durations in seconds are cut: the SDK's own cuts are made for milliseconds.</summary>
public static class Durations
{
    /// <summary>From 1 ms, which a claim takes, to 5 min, which a large image may.</summary>
    public static InstrumentAdvice<double> Buckets { get; } = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    };
}
