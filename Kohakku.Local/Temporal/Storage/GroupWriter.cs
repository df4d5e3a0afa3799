using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>
/// Writes changes in the order they come, all that wait at once as one group. One loop does it, so groups follow each other;
/// while one is being flushed the next gathers. A change is answered exactly when it is known whether it was committed:
/// through an outage of the database its caller waits.
/// </summary>
internal sealed partial class GroupWriter(Ownership ownership, TimeProvider time, ILogger logger)
{
    private const int MostChanges = 256;
    private const int MostBytes = 8 << 20;

    /// <summary>What may wait; more callers wait to hand theirs in.</summary>
    private const int MostWaiting = 1_024;

    /// <summary>After so long without a change the database is asked whether it is still ours.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    private readonly Channel<PendingChange> waiting = Channel.CreateBounded<PendingChange>(new BoundedChannelOptions(MostWaiting) { SingleReader = true });
    private readonly TaskCompletionSource superseded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PendingChange? next;
    private long batch;

    /// <summary>Completes when another server took the database over; faults when the loop ended by a defect. Nothing is written after either.</summary>
    public Task Superseded => superseded.Task;

    public async Task WriteAsync(Change change)
    {
        var pending = new PendingChange(change);
        try
        {
            await waiting.Writer.WriteAsync(pending);
        }
        catch (ChannelClosedException exception)
        {
            throw exception.InnerException is SupersededException superseded
                ? new SupersededException(superseded.Message)
                : new StorageException(exception.InnerException?.Message ?? exception.Message, exception);
        }
        await pending.Done;
    }

    /// <summary>Ends the loop when all that was handed in is written.</summary>
    public void Complete() => waiting.Writer.TryComplete(new StorageException("the storage is closed"));

    /// <param name="lastBatch">The number of the last batch that was committed.</param>
    public async Task RunAsync(long lastBatch, CancellationToken cancellationToken)
    {
        batch = lastBatch;
        var group = new List<PendingChange>();
        Exception end = new StorageException("the storage is closed");
        try
        {
            while (await WaitAsync(cancellationToken))
            {
                Gather(group);
                await WriteAsync(group, cancellationToken);
                group.Clear();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // What is left was not written, as far as is known.
        }
        catch (SupersededException exception)
        {
            LogSuperseded(logger);
            end = exception;
            superseded.TrySetResult();
        }
        catch (Exception exception)
        {
            LogEnded(logger, exception);
            end = new StorageException("the storage failed", exception);
            superseded.TrySetException(exception);
        }
        waiting.Writer.TryComplete(end);
        foreach (var change in group) change.Fail(end);
        next?.Fail(end);
        while (waiting.Reader.TryRead(out var change)) change.Fail(end);
    }

    private async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        if (next is not null) return true;
        var ready = waiting.Reader.WaitToReadAsync(cancellationToken).AsTask();
        while (true)
        {
            try
            {
                return await ready.WaitAsync(Idle, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                await CheckAsync(cancellationToken);
            }
            catch (StorageException)
            {
                // Completed and empty: this is how it was closed.
                return false;
            }
        }
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (!ownership.IsConnected) await ownership.RetakeAsync(ConnectionLost(), cancellationToken);
        try
        {
            await ownership.CheckAsync(cancellationToken);
        }
        catch (Exception exception) when (Faults.IsTransient(exception))
        {
            await ownership.RetakeAsync(exception, cancellationToken);
        }
    }

    private void Gather(List<PendingChange> group)
    {
        var bytes = 0;
        while (group.Count < MostChanges && (next is not null || waiting.Reader.TryRead(out next)))
        {
            bytes += next.Bytes;
            // The one that is too much begins the next group.
            if (group.Count > 0 && bytes > MostBytes) return;
            group.Add(next);
            next = null;
        }
    }

    private async Task WriteAsync(List<PendingChange> group, CancellationToken cancellationToken)
    {
        if (!ownership.IsConnected) await ownership.RetakeAsync(ConnectionLost(), cancellationToken);
        while (true)
        {
            try
            {
                await using var statements = GroupStatements.Batch(ownership.Connection, ownership.Epoch, batch + 1, new CommitGroup(group));
                await statements.PrepareAsync(cancellationToken);
                await statements.ExecuteNonQueryAsync(cancellationToken);
                break;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                if (exception is PostgresException refused && refused.SqlState != Ownership.NotOwner && !Faults.IsTransient(refused))
                {
                    await RefusedAsync(group, refused, cancellationToken);
                    return;
                }
                // Whether it was committed is not known; the batch's number tells.
                var committed = await ownership.RetakeAsync(exception, cancellationToken);
                if (committed == batch + 1) break;
                if (committed != batch) throw new StorageException($"the database has batch {committed} where {batch} or its successor was written", exception);
                if (Faults.IsTransient(exception)) continue;
                await RefusedAsync(group, exception, cancellationToken);
                return;
            }
        }
        batch++;
        foreach (var change in group) change.Complete();
    }

    /// <summary>One of the group can't be written, and which is not said: each is tried alone, and the others are not harmed.</summary>
    private async Task RefusedAsync(List<PendingChange> group, Exception exception, CancellationToken cancellationToken)
    {
        if (group.Count == 1)
        {
            // Expected: whoever starts a run looks its id up then.
            if (GroupStatements.IsIdInUse(exception)) exception = new WorkflowIdInUseException(exception);
            else LogRefused(logger, exception);
            group[0].Fail(exception);
            return;
        }
        foreach (var change in group) await WriteAsync([change], cancellationToken);
    }

    private static IOException ConnectionLost() => new("the connection was lost");

    [LoggerMessage(4010, LogLevel.Critical, "Another server took the database over; this one writes nothing more and must end.")]
    private static partial void LogSuperseded(ILogger logger);

    [LoggerMessage(4011, LogLevel.Critical, "The storage failed and writes nothing more.")]
    private static partial void LogEnded(ILogger logger, Exception exception);

    [LoggerMessage(4012, LogLevel.Error, "The database refused a change.")]
    private static partial void LogRefused(ILogger logger, Exception exception);
}
