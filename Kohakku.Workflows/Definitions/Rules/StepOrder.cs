namespace Kohakku.Workflows.Definitions.Rules;

/// <summary>What precedes what, of steps whose needs are known and without a cycle.</summary>
internal static class StepOrder
{
    /// <summary>By id, all steps that have ended before it begins.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<string>> Predecessors(IReadOnlyList<StepDefinition> steps)
    {
        var found = new Dictionary<string, IReadOnlySet<string>>(StringComparer.Ordinal);
        foreach (var step in Layers(steps).SelectMany(layer => layer))
        {
            var before = new HashSet<string>(step.Needs, StringComparer.Ordinal);
            foreach (var need in step.Needs) before.UnionWith(found[need]);
            found[step.Id] = before;
        }

        return found;
    }

    /// <summary>The steps whose needs are all in earlier layers, layer by layer, each in the document's order.</summary>
    public static IReadOnlyList<IReadOnlyList<StepDefinition>> Layers(IReadOnlyList<StepDefinition> steps)
    {
        var layers = new List<IReadOnlyList<StepDefinition>>();
        var done = new HashSet<string>(StringComparer.Ordinal);
        var left = steps.ToList();
        while (left.Count > 0)
        {
            var layer = left.Where(step => step.Needs.All(done.Contains)).ToArray();
            if (layer.Length == 0) throw new InvalidOperationException("The steps have a cycle.");
            layers.Add(layer);
            done.UnionWith(layer.Select(step => step.Id));
            left.RemoveAll(step => done.Contains(step.Id));
        }

        return layers;
    }

    /// <summary>One cycle for each knot of steps that wait for each other: <c>a, b, a</c> where a needs b and b needs a.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Cycles(IReadOnlyList<StepDefinition> steps)
    {
        var needs = steps.DistinctBy(step => step.Id).ToDictionary(step => step.Id, step => step.Needs, StringComparer.Ordinal);
        var cycles = new List<IReadOnlyList<string>>();
        var done = new HashSet<string>(StringComparer.Ordinal);
        foreach (var step in steps) Follow(step.Id, [], needs, done, cycles);
        return cycles;
    }

    // Two hundred steps at most, and so as deep at most.
    private static void Follow(string id, List<string> path, Dictionary<string, IReadOnlyList<string>> needs, HashSet<string> done, List<IReadOnlyList<string>> cycles)
    {
        var begins = path.IndexOf(id);
        if (begins >= 0) cycles.Add([.. path[begins..], id]);
        if (begins >= 0 || done.Contains(id) || !needs.TryGetValue(id, out var before)) return;
        path.Add(id);
        foreach (var need in before.Distinct()) Follow(need, path, needs, done, cycles);
        path.RemoveAt(path.Count - 1);
        done.Add(id);
    }
}
