using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>
/// YAML as nodes, from the parser's events: each has a line and a column. Anchors are taken and aliases refused, so that nothing can expand; of tags there
/// is only <c>!!str</c>.
/// </summary>
internal sealed class YamlNodes
{
    public static readonly string TooDeep = $"must not be nested deeper than {DocumentNodes.MaxDepth}";
    private readonly Parser _parser;
    private readonly string[] _lines;
    private readonly FaultList _faults;

    private YamlNodes(string text, FaultList faults)
    {
        _parser = new Parser(new StringReader(text));
        _lines = text.Split('\n');
        _faults = faults;
    }

    public static Node? Read(string text, FaultList faults)
    {
        try
        {
            return new YamlNodes(text, faults).Document();
        }
        catch (YamlException fault)
        {
            faults.Add((int)fault.Start.Line, (int)fault.Start.Column, "", fault.Message.EndsWith(TooDeep, StringComparison.Ordinal) ? TooDeep : $"is not YAML: {Reason(fault)}");
            return null;
        }
        // YamlDotNet's scanner indexes and converts as it goes; on text that was cut or mangled it may throw what its own code threw.
        catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidOperationException or IndexOutOfRangeException or OverflowException)
        {
            faults.Add(1, 1, "", $"is not YAML: {fault.Message}");
            return null;
        }
    }

    private Node? Document()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
        {
            _faults.Add(1, 1, "", "is empty");
            return null;
        }

        _parser.Consume<DocumentStart>();
        var node = Value(0);
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out var second))
        {
            _faults.Add((int)second.Start.Line, (int)second.Start.Column, "", "must be one document; a second begins here");
            return null;
        }

        return node;
    }

    private Node Value(int depth)
    {
        if (depth > DocumentNodes.MaxDepth) throw new YamlException(_parser.Current!.Start, _parser.Current.End, TooDeep);
        if (_parser.TryConsume<MappingStart>(out var mapping)) return Mapping(mapping, depth);
        if (_parser.TryConsume<SequenceStart>(out var sequence))
        {
            CheckTag(sequence);
            var items = new List<Node>();
            while (!_parser.TryConsume<SequenceEnd>(out _)) items.Add(Value(depth + 1));
            return At(sequence, NodeKind.Sequence) with { Items = items };
        }

        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            _faults.Add((int)alias.Start.Line, (int)alias.Start.Column, "", $"must not use aliases; write out what *{alias.Value} stands for");
            return At(alias, NodeKind.Scalar) with { Text = "*" };
        }

        return Scalar(_parser.Consume<Scalar>());
    }

    private Node Mapping(MappingStart start, int depth)
    {
        CheckTag(start);
        var entries = new List<Entry>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            var key = Value(depth + 1);
            var value = Value(depth + 1);
            if (key.Kind == NodeKind.Scalar) entries.Add(new Entry(key, value));
            else _faults.Add(key, "", key.IsFlow ? "must be quoted: in YAML, braces without quotes are an object" : "must have text as its keys");
        }

        return At(start, NodeKind.Mapping) with { Entries = entries, IsFlow = start.Style == MappingStyle.Flow };
    }

    private Node Scalar(Scalar scalar)
    {
        CheckTag(scalar);
        if (HasHalfAPair(scalar.Value)) _faults.Add((int)scalar.Start.Line, (int)scalar.Start.Column, "", "must not have half a surrogate pair in a string");
        return At(scalar, NodeKind.Scalar) with
        {
            Text = scalar.Value,
            IsPlain = scalar.Style == ScalarStyle.Plain && scalar.Tag.IsEmpty,
            Origin = Origin(scalar),
        };
    }

    private TextOrigin? Origin(Scalar scalar)
    {
        var line = (int)scalar.Start.Line;
        var column = (int)scalar.Start.Column;
        switch (scalar.Style)
        {
            case ScalarStyle.Literal:
                for (var first = line; first < _lines.Length; first++)
                {
                    var indent = _lines[first].Length - _lines[first].TrimStart(' ').Length;
                    if (_lines[first].AsSpan(indent).TrimEnd('\r').IsEmpty) continue;
                    // The text's first line is the one below the bar, also when it is empty.
                    return new TextOrigin(line + 1, indent + 1, true);
                }

                return null;
            case ScalarStyle.Plain or ScalarStyle.SingleQuoted or ScalarStyle.DoubleQuoted:
                var at = column - 1 + (scalar.Style == ScalarStyle.Plain ? 0 : 1);
                // Only where the document has it letter by letter: no escapes, no folded lines.
                return line <= _lines.Length && at <= _lines[line - 1].Length && _lines[line - 1].AsSpan(at).StartsWith(scalar.Value, StringComparison.Ordinal)
                    ? new TextOrigin(line, at + 1, false)
                    : null;
            default:
                return null;
        }
    }

    /// <summary>No bytes stand for one; it would come back as another character.</summary>
    private static bool HasHalfAPair(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1])) return true;
            i++;
        }

        return false;
    }

    private void CheckTag(NodeEvent node)
    {
        if (node.Tag.IsEmpty || node.Tag.IsNonSpecific || (node is Scalar && node.Tag.Value == "tag:yaml.org,2002:str")) return;
        _faults.Add((int)node.Start.Line, (int)node.Start.Column, "", string.Create(CultureInfo.InvariantCulture, $"must not have the tag {node.Tag.Value}"));
    }

    private static Node At(ParsingEvent place, NodeKind kind) => new(kind, (int)place.Start.Line, (int)place.Start.Column);

    private static string Reason(YamlException fault)
    {
        var message = fault.Message;
        // Some messages begin with the place, which the fault has already.
        var colon = message.StartsWith('(') ? message.IndexOf("): ", StringComparison.Ordinal) : -1;
        return colon < 0 ? message : message[(colon + 3)..];
    }
}
