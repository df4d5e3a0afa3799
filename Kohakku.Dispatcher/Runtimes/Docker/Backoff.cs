namespace Kohakku.Dispatcher.Runtimes.Docker;

internal static class Backoff
{
    /// <summary>Doubles with each attempt; half of it is chance, so that those who failed together don't come back together.</summary>
    /// <param name="attempt">From 1.</param>
    public static TimeSpan WithJitter(TimeSpan first, int attempt) => first * Math.Pow(2, attempt - 1) * (0.5 + (Random.Shared.NextDouble() / 2));
}
