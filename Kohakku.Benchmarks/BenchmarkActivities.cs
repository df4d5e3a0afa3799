using Temporalio.Activities;

namespace Kohakku.Benchmarks;

internal static class BenchmarkActivities
{
    [Activity]
    public static int Echo(int number) => number;
}
