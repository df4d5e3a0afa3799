namespace Kohakku.Local.Temporal.Storage;

/// <summary>Changes that are written together, with at most one write of each row: of several the last one's, as if they had been written one after the other.</summary>
internal sealed class CommitGroup
{
    private readonly Dictionary<Guid, EncodedRun> runs = [];
    private readonly List<RunRow> firstRuns = [];
    private readonly Dictionary<(string Namespace, string WorkflowId), Guid> currentRuns = [];
    private readonly Dictionary<(Guid RunId, short Kind, string Key), ReadOnlyMemory<byte>?> parts = [];
    private readonly List<(Guid RunId, HistoryBatch Batch)> history = [];
    private readonly List<EffectRow> newEffects = [];
    private readonly HashSet<Guid> doneEffects = [];

    public CommitGroup(IEnumerable<PendingChange> changes)
    {
        foreach (var change in changes) Add(change);
    }

    public IReadOnlyCollection<EncodedRun> Runs => runs.Values;
    public IReadOnlyCollection<RunRow> FirstRuns => firstRuns;
    public IReadOnlyCollection<KeyValuePair<(string Namespace, string WorkflowId), Guid>> CurrentRuns => currentRuns;
    public IReadOnlyCollection<KeyValuePair<(Guid RunId, short Kind, string Key), ReadOnlyMemory<byte>?>> Parts => parts;
    public IReadOnlyCollection<(Guid RunId, HistoryBatch Batch)> History => history;
    public IReadOnlyCollection<EffectRow> NewEffects => newEffects;
    public IReadOnlyCollection<Guid> DoneEffects => doneEffects;

    private void Add(PendingChange pending)
    {
        for (var index = 0; index < pending.Runs.Count; index++)
        {
            var write = pending.Change.Runs[index];
            var run = pending.Runs[index];
            runs[run.Row.RunId] = run;
            if (write.IsFirst) firstRuns.Add(run.Row);
            else if (write.IsNew) currentRuns[(run.Row.Namespace, run.Row.WorkflowId)] = run.Row.RunId;
            foreach (var part in write.Parts) parts[(run.Row.RunId, part.Kind, part.Key)] = part.Data;
            foreach (var batch in write.History) history.Add((run.Row.RunId, batch));
        }
        newEffects.AddRange(pending.Change.NewEffects);
        foreach (var id in pending.Change.DoneEffects)
            if (newEffects.RemoveAll(effect => effect.Id == id) == 0) doneEffects.Add(id);
    }
}
