using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Kohakku.Tests.Fixtures;

/// <summary>Waits for what will become true, instead of sleeping and hoping.</summary>
internal static class Eventually
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static Task Async(Func<bool> condition, TimeSpan? timeout = null, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        Async(() => Task.FromResult(condition()), timeout, what);

    /// <param name="timeout">Generous by default: it only costs time where the test fails.</param>
    public static async Task Async(Func<Task<bool>> condition, TimeSpan? timeout = null, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > (timeout ?? DefaultTimeout)) Assert.Fail($"Did not become true in time: {what}");
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until there is something to answer.</summary>
    public static async Task<T> NotNullAsync<T>(Func<Task<T?>> read, TimeSpan? timeout = null, [CallerArgumentExpression(nameof(read))] string what = "")
        where T : class
    {
        T? found = null;
        await Async(async () => (found = await read()) is not null, timeout, what);
        return found!;
    }
}
