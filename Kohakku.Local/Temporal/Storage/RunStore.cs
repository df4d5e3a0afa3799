using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>Runs, their histories and their effects in Postgres.</summary>
internal sealed class RunStore
{
    /// <summary>Writes a change; returns when it is durable. Changes that arrive together are written in one transaction.</summary>
    public Task CommitAsync(Change change) => throw new NotImplementedException();

    public Task<StoredRun?> LoadAsync(string @namespace, Guid runId, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The latest run of the workflow id, open or closed.</summary>
    public Task<Guid?> CurrentRunAsync(string @namespace, string workflowId, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Events in order, from the first id to the last inclusive, at most <paramref name="limit"/> of them.</summary>
    public Task<IReadOnlyList<HistoryEvent>> ReadHistoryAsync(Guid runId, long firstEventId, long lastEventId, int limit, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>All open runs, for the start of the server.</summary>
    public IAsyncEnumerable<StoredRun> OpenRunsAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>All effects not yet done, oldest first.</summary>
    public Task<IReadOnlyList<EffectRow>> EffectsAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Deletes one run with its history (DeleteWorkflowExecution), and its entry as current run when it is that.</summary>
    public Task DeleteAsync(string @namespace, Guid runId, CancellationToken cancellationToken) => throw new NotImplementedException();
}
