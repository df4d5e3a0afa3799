using System.Collections.Concurrent;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Workflows.Activities;

/// <summary>A run's definition and inputs, remembered while it is likely to come again: they never change. May be called at once.</summary>
internal sealed class RunDocuments(EngineClient controller)
{
    /// <summary>A definition has at most 256 KiB, inputs at most 64 KiB to be remembered: some 100 MB at worst, some 100 KB as a rule.</summary>
    private const int MostRemembered = 256;
    private const int LargestInputs = 64 * 1024;
    private readonly ConcurrentDictionary<Guid, RunTexts> _known = new();

    public async Task<RunTexts> FindAsync(Guid runId, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue(runId, out var known)) return known;
        var document = await controller.ReadAsync(runId, cancellationToken);
        var texts = new RunTexts(document, CanonicalForm.Read(document.Definition));
        if (document.Inputs.GetRawText().Length > LargestInputs) return texts;
        if (_known.Count >= MostRemembered) _known.Clear();
        _known[runId] = texts;
        return texts;
    }
}

internal sealed record RunTexts(RunDocument Run, WorkflowDefinition Definition);
