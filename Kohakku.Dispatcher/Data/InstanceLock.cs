using Npgsql;

namespace Kohakku.Dispatcher.Data;

/// <summary>
/// Lets one process at a time work on a dispatcher's database: a session's advisory lock, held by a connection of its own.
/// When that connection breaks the lock is taken again; when another process was quicker, this one must end.
/// </summary>
internal sealed partial class InstanceLock(NpgsqlDataSource database, TimeProvider time, ILogger<InstanceLock> logger) : IAsyncDisposable
{
    private const long Key = 0x4B6F68616B6B7531; // any number of our own
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private NpgsqlConnection? connection;

    /// <summary>Waits for the process before this one to end, for at most <paramref name="patience"/>.</summary>
    /// <exception cref="InstanceLockedException">It did not end.</exception>
    public async Task AcquireAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var told = false;
        while (!await TryAcquireAsync(cancellationToken))
        {
            if (time.GetElapsedTime(started) > patience)
                throw new InstanceLockedException("Another dispatcher process works on this database: give each dispatcher its own (ConnectionStrings__dispatcher), or stop the other.");
            if (!told) LogWaiting(patience);
            told = true;
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Returns only by an exception: cancelled, or the lock went to another process.</summary>
    /// <exception cref="InstanceLockedException">Another process has it.</exception>
    public async Task KeepAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                // Waits for a notification that never comes: only a broken connection ends it.
                while (connection is not null) await connection.WaitAsync(cancellationToken);
            }
            catch (Exception fault) when (fault is NpgsqlException or IOException or InvalidOperationException)
            {
                LogBroken(fault.Message);
            }
            await DropAsync();
            await ReacquireAsync(patience, cancellationToken);
        }
    }

    private async Task ReacquireAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await AcquireAsync(patience, cancellationToken);
                LogBack();
                return;
            }
            catch (NpgsqlException)
            {
                // The server is away; nobody else can have the lock then.
                await Task.Delay(Pause, time, cancellationToken);
            }
        }
    }

    private async Task<bool> TryAcquireAsync(CancellationToken cancellationToken)
    {
        connection ??= await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock($1)", connection) { Parameters = { new() { Value = Key } } };
            return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
        catch (NpgsqlException)
        {
            await DropAsync();
            throw;
        }
    }

    private async Task DropAsync()
    {
        var broken = connection;
        connection = null;
        if (broken is not null) await broken.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (connection is null) return;
        try
        {
            // Back in the pool, the connection would keep the lock until it is used again.
            await using var command = new NpgsqlCommand("SELECT pg_advisory_unlock_all()", connection);
            await command.ExecuteNonQueryAsync();
        }
        catch (Exception fault) when (fault is NpgsqlException or InvalidOperationException)
        {
            // Broken, and so is the lock.
        }
        await DropAsync();
    }

    [LoggerMessage(200, LogLevel.Warning, "Another dispatcher process works on this database: waiting up to {Patience} for its end")]
    private partial void LogWaiting(TimeSpan patience);

    [LoggerMessage(201, LogLevel.Warning, "The connection that holds the instance's lock broke: {Fault}")]
    private partial void LogBroken(string fault);

    [LoggerMessage(202, LogLevel.Information, "The instance's lock is held again")]
    private partial void LogBack();
}

/// <summary>Another process works on this dispatcher's database.</summary>
internal sealed class InstanceLockedException(string message) : Exception(message);
