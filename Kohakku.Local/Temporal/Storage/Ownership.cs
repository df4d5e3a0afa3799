using System.Data;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>
/// That this process alone writes to the database. Its connection holds a lock that lives as long as its session, so whoever
/// has the lock knows that no transaction of an earlier session is still under way; the epoch tells a server whose session
/// ended from the one that took over. Used by one thread at a time.
/// </summary>
internal sealed partial class Ownership(NpgsqlDataSource database, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    // Any number that no other user of the database takes: "KohakTem" in ASCII.
    private const long LockKey = 0x4b_6f_68_61_6b_54_65_6d;

    /// <summary>What <c>advance_batch</c> answers who is not the owner.</summary>
    public const string NotOwner = "KT001";

    /// <summary>Time for a predecessor that is just dying: its session ends when the server notices that the process is gone.</summary>
    private static readonly TimeSpan PredecessorsEnd = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(100);

    private NpgsqlConnection? connection;

    /// <summary>The server's process of the last session that held the lock.</summary>
    private int lockedSession;

    public long Epoch { get; private set; }

    /// <summary>The one that holds the lock; writes go through it.</summary>
    public NpgsqlConnection Connection => connection ?? throw new InvalidOperationException("The database is not owned.");

    /// <summary>False when the connection was found broken while nobody used it.</summary>
    public bool IsConnected => connection?.State is ConnectionState.Open;

    /// <summary>Takes the database over, with its schema brought up.</summary>
    /// <returns>The number of the last batch.</returns>
    public async Task<long> TakeAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        await OpenAsync(cancellationToken);
        while (!await TryLockAsync(cancellationToken))
        {
            if (time.GetElapsedTime(started) > PredecessorsEnd) throw new StorageException("another server owns this database");
            await Task.Delay(LockPause, time, cancellationToken);
        }
        var (version, known) = await Schema.ApplyAsync(Connection, cancellationToken);
        if (version > known) LogNewer(logger, version, known);
        await using var command = new NpgsqlCommand("update owner set epoch = epoch + 1 returning epoch, batch", Connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        Epoch = reader.GetInt64(0);
        var batch = reader.GetInt64(1);
        await reader.CloseAsync();
        await PrepareSessionAsync(cancellationToken);
        return batch;
    }

    /// <summary>Takes the lock again with a new connection, however long the database is away.</summary>
    /// <returns>The number of the last batch that was committed.</returns>
    /// <exception cref="SupersededException">Another server took over meanwhile.</exception>
    public async Task<long> RetakeAsync(Exception cause, CancellationToken cancellationToken)
    {
        LogLost(logger, cause.Message);
        var started = time.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                if (await TryRetakeAsync(cancellationToken) is { } batch)
                {
                    LogBack(logger, time.GetElapsedTime(started).TotalSeconds);
                    return batch;
                }
            }
            catch (Exception exception) when (exception is NpgsqlException || Faults.IsTransient(exception))
            {
                // Still away; the log has it.
            }
            await Task.Delay(Faults.Pause(attempt), time, cancellationToken);
        }
    }

    /// <summary>Whether this server is still the owner, and the connection alive.</summary>
    /// <exception cref="SupersededException">Another server took over.</exception>
    public Task<long> CheckAsync(CancellationToken cancellationToken) => ReadBatchAsync(cancellationToken);

    public async ValueTask DisposeAsync() => await DiscardAsync();

    private async Task<long?> TryRetakeAsync(CancellationToken cancellationToken)
    {
        await DiscardAsync();
        await OpenAsync(cancellationToken);
        if (await TryLockAsync(cancellationToken))
        {
            var batch = await ReadBatchAsync(cancellationToken);
            await PrepareSessionAsync(cancellationToken);
            return batch;
        }
        await ReadBatchAsync(cancellationToken);
        // Ours from before, if the server has yet to notice that its connection is gone.
        await using var end = new NpgsqlCommand(
            "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid = $1 and ((classid::bigint << 32) | objid::bigint) = $2", Connection);
        end.Parameters.Add(new NpgsqlParameter<int> { TypedValue = lockedSession });
        end.Parameters.Add(new NpgsqlParameter<long> { TypedValue = LockKey });
        await end.ExecuteNonQueryAsync(cancellationToken);
        return null;
    }

    private async Task OpenAsync(CancellationToken cancellationToken) => connection = await database.OpenConnectionAsync(cancellationToken);

    private async Task<bool> TryLockAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock($1)", Connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = LockKey });
        if (await command.ExecuteScalarAsync(cancellationToken) is not true) return false;
        lockedSession = Connection.ProcessID;
        return true;
    }

    private async Task<long> ReadBatchAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select epoch, batch from owner", Connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken) || reader.GetInt64(0) != Epoch)
            throw new SupersededException("another server took this database over");
        return reader.GetInt64(1);
    }

    /// <summary>
    /// Everything is written by key; a plan made while the tables were small must not read them whole when they have grown. And a plan is made once: by its
    /// own estimate of arrays the database would plan each statement anew each time, which takes longer than to execute it.
    /// </summary>
    private async Task PrepareSessionAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; set jit = off", Connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Ends the session rather than lending it, with the lock, to the pool.</summary>
    private async Task DiscardAsync()
    {
        if (connection is not { } discarded) return;
        connection = null;
        database.Clear();
        await discarded.DisposeAsync();
    }

    [LoggerMessage(4001, LogLevel.Warning, "The database is away; changes wait until it is back: {Fault}")]
    private static partial void LogLost(ILogger logger, string fault);

    [LoggerMessage(4003, LogLevel.Warning, "The database is of a newer release (version {Version}), which this one works with (it knows {Known}). Its schema is left as it is.")]
    private static partial void LogNewer(ILogger logger, int version, int known);

    [LoggerMessage(4002, LogLevel.Information, "The database is back after {Seconds:F1} s.")]
    private static partial void LogBack(ILogger logger, double seconds);
}
