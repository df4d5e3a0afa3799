using System.Runtime.CompilerServices;
using System.Text.Json;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Storage;
using Kohakku.Dispatcher.Attempts;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary>Stores artifacts and reports them. Safe for any thread.</summary>
internal sealed class ArtifactStore(ObjectStorage storage)
{
    private readonly ConditionalWeakTable<Attempt, Task<ArtifactBudget>> budgets = [];

    /// <returns>Null when the attempt was over by the time it was stored.</returns>
    public async Task<ArtifactData?> StoreAsync(Attempt attempt, string path, Stream content, string contentType, CancellationToken cancellationToken)
    {
        var key = ObjectKeys.Artifact(attempt.Order.TaskId, attempt.Order.Number, path);
        var budget = await BudgetOf(attempt).WaitAsync(cancellationToken);
        using var share = budget.Open();
        await using var measured = new MeasuredStream(content, share);
        await storage.PutAsync(key, measured, contentType, cancellationToken);
        share.Keep(path);
        var artifact = new ArtifactData(path, measured.Count, measured.Digest(), contentType);
        var report = new AttemptInput.Reported(AttemptEventTypes.Artifact, JsonSerializer.SerializeToElement(artifact, ContractsJson.Default.ArtifactData));
        if (!attempt.Apply(report, out var durable)) return null;
        await durable;
        return artifact;
    }

    private Task<ArtifactBudget> BudgetOf(Attempt attempt)
    {
        lock (budgets)
        {
            // One that could not be loaded is tried again.
            if (budgets.TryGetValue(attempt, out var known) && !known.IsFaulted) return known;
            var loading = LoadBudgetAsync(attempt);
            budgets.AddOrUpdate(attempt, loading);
            return loading;
        }
    }

    /// <summary>What an earlier process stored counts too.</summary>
    private async Task<ArtifactBudget> LoadBudgetAsync(Attempt attempt)
    {
        await Task.Yield();
        var budget = new ArtifactBudget();
        if (!attempt.IsAdopted) return budget;
        var folder = ObjectKeys.Artifacts(attempt.Order.TaskId, attempt.Order.Number);
        await foreach (var found in storage.ListAsync(folder, CancellationToken.None)) budget.Restore(found.Key[folder.Length..], found.Size);
        return budget;
    }
}
