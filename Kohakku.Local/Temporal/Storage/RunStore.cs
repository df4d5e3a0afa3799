using Microsoft.Extensions.Logging;
using Npgsql;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>
/// Runs, their histories and their effects in Postgres. All members may be called at once. What a caller holds in memory
/// stays right through an outage of the database: commits wait for its end and are done exactly once.
/// </summary>
internal sealed class RunStore : IAsyncDisposable
{
    /// <summary>How long the last changes may take when the server stops; the database may be away.</summary>
    private static readonly TimeSpan LongestClose = TimeSpan.FromSeconds(10);

    private readonly TimeProvider time;
    private readonly Ownership ownership;
    private readonly GroupWriter writer;
    private readonly RunReader reader;
    private readonly RunDeletion deletion;
    private readonly CancellationTokenSource stop = new();
    private Task writing = Task.CompletedTask;

    public RunStore(NpgsqlDataSource database, TimeProvider time, ILogger<RunStore> logger)
    {
        this.time = time;
        ownership = new Ownership(database, time, logger);
        writer = new GroupWriter(ownership, time, logger);
        reader = new RunReader(database, time);
        deletion = new RunDeletion(database, time);
    }

    /// <summary>Completes when another server took the database over, faults when the storage failed; the server must end then. Commits fail from then on.</summary>
    public Task Superseded => writer.Superseded;

    /// <summary>Takes ownership of the database and brings its schema up; before anything else.</summary>
    /// <exception cref="StorageException">Another server owns the database, or it is of a newer release.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var batch = await ownership.TakeAsync(cancellationToken);
        writing = Task.Run(() => writer.RunAsync(batch, stop.Token), CancellationToken.None);
    }

    /// <summary>Writes a change; returns when it is durable. Changes that arrive together are written in one transaction.</summary>
    /// <exception cref="PostgresException">The database refused it; nothing of it was written.</exception>
    /// <exception cref="WorkflowIdInUseException">What was to be the first run of its workflow id is not.</exception>
    /// <exception cref="StorageException">Another server owns the database, or this one was closed.</exception>
    public Task CommitAsync(Change change) => writer.WriteAsync(change);

    public Task<StoredRun?> LoadAsync(string @namespace, Guid runId, CancellationToken cancellationToken) => reader.LoadAsync(@namespace, runId, cancellationToken);

    /// <summary>The latest run of the workflow id, open or closed.</summary>
    public Task<Guid?> CurrentRunAsync(string @namespace, string workflowId, CancellationToken cancellationToken) =>
        reader.CurrentRunAsync(@namespace, workflowId, cancellationToken);

    /// <summary>Events in order, from the first id to the last inclusive, at most <paramref name="limit"/> of them.</summary>
    public Task<IReadOnlyList<HistoryEvent>> ReadHistoryAsync(Guid runId, long firstEventId, long lastEventId, int limit, CancellationToken cancellationToken) =>
        reader.ReadHistoryAsync(runId, firstEventId, lastEventId, limit, cancellationToken);

    /// <summary>All open runs, for the start of the server.</summary>
    public IAsyncEnumerable<StoredRun> OpenRunsAsync(CancellationToken cancellationToken) => reader.OpenRunsAsync(cancellationToken);

    /// <summary>All effects not yet done, oldest first.</summary>
    public Task<IReadOnlyList<EffectRow>> EffectsAsync(CancellationToken cancellationToken) => reader.EffectsAsync(cancellationToken);

    /// <summary>Deletes one run with its history (DeleteWorkflowExecution), and its entry as current run when it is that.</summary>
    public Task DeleteAsync(string @namespace, Guid runId, CancellationToken cancellationToken) =>
        deletion.DeleteAsync(ownership.Epoch, @namespace, runId, cancellationToken);

    /// <summary>Deletes the runs that were closed first, at most <paramref name="limit"/> of them, in one transaction.</summary>
    /// <returns>How many were deleted.</returns>
    public Task<int> DeleteClosedBeforeAsync(DateTimeOffset before, int limit, CancellationToken cancellationToken) =>
        deletion.DeleteClosedBeforeAsync(ownership.Epoch, before, limit, cancellationToken);

    /// <summary>Writes what was handed in, and gives the database free.</summary>
    public async ValueTask DisposeAsync()
    {
        writer.Complete();
        try
        {
            await writing.WaitAsync(LongestClose, time);
        }
        catch (TimeoutException)
        {
            await stop.CancelAsync();
            await writing;
        }
        await ownership.DisposeAsync();
        stop.Dispose();
    }
}
