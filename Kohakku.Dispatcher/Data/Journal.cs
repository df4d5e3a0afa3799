using System.Threading.Channels;
using Npgsql;

namespace Kohakku.Dispatcher.Data;

/// <summary>
/// The only writer of the dispatcher's database: entries that come in while a commit is under way share the next one (one roundtrip,
/// one fsync). Callers await their own entry's durability. Entries are applied in the order of <see cref="Write"/>. While the database
/// is away a batch is tried again for ever; all its statements may be repeated, as a commit's answer may have been lost.
/// The channel is unbounded, its use is not: every caller waits for its entry before it makes the next.
/// </summary>
internal sealed partial class Journal(NpgsqlDataSource database, TimeProvider time, ILogger<Journal> logger) : IAsyncDisposable
{
    private const int MaxEntries = 2000;
    private readonly Channel<JournalEntry> entries = Channel.CreateUnbounded<JournalEntry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource stop = new();
    private NpgsqlConnection? connection;
    private Task? loop;

    public void Start() => loop = RunAsync();

    /// <returns>Completes when the entry is durable.</returns>
    public Task Write(JournalEntry entry)
    {
        if (!entries.Writer.TryWrite(entry)) entry.Durable.TrySetException(new ObjectDisposedException(nameof(Journal)));
        return entry.Durable.Task;
    }

    /// <summary>Writes what has come in, then ends; gives up on a database that is away after <paramref name="limit"/>.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        entries.Writer.TryComplete();
        stop.CancelAfter(limit);
        if (loop is not null) await loop;
    }

    private async Task RunAsync()
    {
        var batch = new JournalBatch();
        while (await entries.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < MaxEntries && entries.Reader.TryRead(out var entry)) batch.Add(entry);
            if (!await CommitAsync(batch)) return;
        }
    }

    private async Task<bool> CommitAsync(JournalBatch batch)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(2));
        while (true)
        {
            try
            {
                connection ??= await database.OpenConnectionAsync(stop.Token);
                await batch.ExecuteAsync(connection, stop.Token);
                batch.Complete();
                return true;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                batch.Fail(new InvalidOperationException("The dispatcher was stopped while its database was away."));
                return false;
            }
            catch (PostgresException fault) when (IsRefusal(fault))
            {
                await CommitOneByOneAsync(batch, fault);
                return true;
            }
            catch (Exception fault) when (fault is NpgsqlException or IOException or InvalidOperationException)
            {
                LogAway(batch.Count, fault);
                await DropAsync();
                await Task.Delay(backoff.Next(), time, CancellationToken.None);
            }
        }
    }

    // Data the database will never take (classes 22 and 23): its own caller hears of it, the others' entries are written.
    private static bool IsRefusal(PostgresException fault) => fault.SqlState.StartsWith("22", StringComparison.Ordinal) || fault.SqlState.StartsWith("23", StringComparison.Ordinal);

    private async Task CommitOneByOneAsync(JournalBatch refused, PostgresException fault)
    {
        if (refused.Count == 1)
        {
            LogRefused(fault);
            refused.Fail(fault);
            return;
        }
        foreach (var entry in refused.Entries)
        {
            var single = new JournalBatch();
            single.Add(entry);
            if (!await CommitAsync(single)) return;
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
        await StopAsync(TimeSpan.Zero);
        await DropAsync();
        stop.Dispose();
    }

    [LoggerMessage(220, LogLevel.Error, "The dispatcher's database did not take {Count} entries; trying again")]
    private partial void LogAway(int count, Exception fault);

    [LoggerMessage(221, LogLevel.Error, "The dispatcher's database refused an entry for good")]
    private partial void LogRefused(Exception fault);
}
