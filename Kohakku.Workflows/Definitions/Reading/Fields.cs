using System.Globalization;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>The fields of an object by their keys: each read names what is wrong with it and goes on with nothing or the default.</summary>
internal sealed class Fields
{
    private readonly DocumentReading _reading;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private Fields(Node node, string path, DocumentReading reading)
    {
        Node = node;
        Path = path;
        _reading = reading;
    }

    public Node Node { get; }

    public string Path { get; }

    /// <summary>Null, with the fault named, when the node is not an object.</summary>
    public static Fields? Of(Node node, string path, IReadOnlyList<string> known, DocumentReading reading)
    {
        if (node.Kind != NodeKind.Mapping)
        {
            reading.Faults.Add(node, path, $"must be an object, but is {node.Description}");
            return null;
        }

        var fields = new Fields(node, path, reading);
        foreach (var entry in node.Entries)
        {
            var key = entry.Key.Text;
            if (!known.Contains(key)) reading.Faults.Add(entry.Key, fields.At(key), $"is not known here{Nearest.Hint(key, known)}");
            else if (!fields._entries.TryAdd(key, entry)) reading.Faults.Add(entry.Key, fields.At(key), "stands here twice");
        }

        return fields;
    }

    public string At(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    public bool Has(string key) => _entries.ContainsKey(key);

    public Node? Find(string key) => _entries.GetValueOrDefault(key)?.Value;

    public Node? FindKey(string key) => _entries.GetValueOrDefault(key)?.Key;

    /// <summary>Null, with the fault named, when it is missing or not text; null alone when it is missing and may be.</summary>
    public string? Text(string key, bool required = false)
    {
        if (Find(key) is { } node) return Scalars.Text(node, At(key), _reading.Faults);
        if (required) _reading.Faults.Add(Node, At(key), "is required");
        return null;
    }

    /// <summary>As <see cref="Text"/>, of a template.</summary>
    public string? Template(string key, TemplateRole role, bool required = false)
    {
        if (Text(key, required) is not { } text) return null;
        if (required && string.IsNullOrWhiteSpace(text)) _reading.Faults.Add(Find(key)!, At(key), "must not be empty");
        _reading.Template(Find(key)!, At(key), role);
        return text;
    }

    public int? Integer(string key, int min, int max)
    {
        if (Find(key) is not { } node) return null;
        var number = node is { Kind: NodeKind.Scalar, IsPlain: true } ? CoreSchema.Number(node.Text) : null;
        if (number is null) _reading.Faults.Add(node, At(key), $"must be a number from {min} to {max}, but is {node.Description}");
        else if (!int.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) || value < min || value > max)
            _reading.Faults.Add(node, At(key), $"must be from {min} to {max}");
        else return value;
        return null;
    }

    public bool Boolean(string key)
    {
        if (Find(key) is not { } node) return false;
        var value = node is { Kind: NodeKind.Scalar, IsPlain: true } ? CoreSchema.Boolean(node.Text) : null;
        if (value is null) _reading.Faults.Add(node, At(key), "must be true or false");
        return value ?? false;
    }

    public TimeSpan? Duration(string key)
    {
        if (Text(key) is not { } text) return null;
        if (Definitions.Duration.TryParse(text, out var duration)) return duration;
        _reading.Faults.Add(Find(key)!, At(key), Definitions.Duration.Rule);
        return null;
    }

    /// <summary>Each text of a list with its node.</summary>
    public IReadOnlyList<(string Text, Node Node, string Path)> Texts(string key)
    {
        if (Find(key) is not { } node) return [];
        if (node.Kind != NodeKind.Sequence)
        {
            _reading.Faults.Add(node, At(key), $"must be a list, but is {node.Description}");
            return [];
        }

        var texts = new List<(string, Node, string)>();
        for (var i = 0; i < node.Items.Count; i++)
        {
            var path = $"{At(key)}[{i}]";
            if (Scalars.Text(node.Items[i], path, _reading.Faults) is { } text) texts.Add((text, node.Items[i], path));
        }

        return texts;
    }

    /// <summary>Each text of an object whose keys are the document's own choice.</summary>
    public IReadOnlyList<(string Name, string Text, Entry Entry, string Path)> Pairs(string key)
    {
        var pairs = new List<(string, string, Entry, string)>();
        foreach (var entry in Open(key))
        {
            var path = $"{At(key)}.{entry.Key.Text}";
            if (Scalars.Text(entry.Value, path, _reading.Faults) is { } text) pairs.Add((entry.Key.Text, text, entry, path));
        }

        return pairs;
    }

    /// <summary>The entries of an object whose keys are the document's own choice; none twice.</summary>
    public IReadOnlyList<Entry> Open(string key)
    {
        if (Find(key) is not { } node) return [];
        if (node.Kind != NodeKind.Mapping)
        {
            _reading.Faults.Add(node, At(key), $"must be an object, but is {node.Description}");
            return [];
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var twice in node.Entries.Where(entry => !seen.Add(entry.Key.Text))) _reading.Faults.Add(twice.Key, $"{At(key)}.{twice.Key.Text}", "stands here twice");
        return [.. node.Entries.DistinctBy(entry => entry.Key.Text)];
    }
}
