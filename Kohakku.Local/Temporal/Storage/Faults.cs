using System.Net.Sockets;
using Npgsql;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>Tells a database that is away for a while from a statement it refuses, and reads again when it was away.</summary>
internal static class Faults
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    /// <summary>How long a read outlasts an outage: a restart takes seconds, and callers have deadlines of their own.</summary>
    private static readonly TimeSpan LongestRead = TimeSpan.FromSeconds(30);

    public static bool IsTransient(Exception exception) => exception switch
    {
        // Connection, resources, serialisation, intervention of an operator (it stops or starts), locks, the system.
        PostgresException refused => refused.IsTransient || refused.SqlState is ['0', '8', ..] or ['4', '0', ..] or ['5', '3' or '7' or '8', ..] or "55P03",
        NpgsqlException or IOException or SocketException or TimeoutException => true,
        _ => false,
    };

    /// <summary>Doubling from attempt to attempt up to a limit, by chance between its half and the whole, so that those who wait don't come back all at once.</summary>
    public static TimeSpan Pause(int attempt)
    {
        var pause = Math.Min(FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(attempt, 20)), LongestPause.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(pause * (0.5 + Random.Shared.NextDouble() / 2));
    }

    /// <summary>Does <paramref name="work"/>, which must be safe to repeat, on a connection of the pool; again on a new one when the database was away.</summary>
    public static async Task<T> RetryAsync<T>(
        NpgsqlDataSource database, TimeProvider time, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(cancellationToken);
                return await work(connection, cancellationToken);
            }
            catch (Exception exception) when (IsTransient(exception) && !cancellationToken.IsCancellationRequested && time.GetElapsedTime(started) < LongestRead)
            {
                // The other connections of the pool are as dead as this one; otherwise each would cost an attempt.
                if (exception is not PostgresException { SqlState: ['4', '0', ..] or "55P03" }) database.Clear();
            }
            await Task.Delay(Pause(attempt), time, cancellationToken);
        }
    }
}
