namespace Kohakku.ServiceDefaults;

/// <summary>What is wrong with a request, by field; collected, so that a client learns everything at once.</summary>
public sealed class Faults
{
    private readonly Dictionary<string, List<string>> _rules = new(StringComparer.Ordinal);

    public bool Any => _rules.Count > 0;

    /// <param name="field">The JSON path as the client wrote it: <c>brief</c>, <c>labels.gpu</c>, <c>tasks[3].agent</c>.</param>
    /// <param name="rule">What the field must be, in words: <c>must be from 1 to 100</c>.</param>
    public void Add(string field, string rule)
    {
        if (_rules.TryGetValue(field, out var rules)) rules.Add(rule);
        else _rules.Add(field, [rule]);
    }

    public IDictionary<string, string[]> ToDictionary() => _rules.ToDictionary(pair => pair.Key, pair => pair.Value.ToArray(), StringComparer.Ordinal);
}
