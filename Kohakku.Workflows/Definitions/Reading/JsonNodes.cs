using System.Text;
using System.Text.Json;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>JSON as nodes.</summary>
internal sealed class JsonNodes
{
    private readonly byte[] _bytes;
    private int _at;
    private int _line = 1;
    private int _lineStart;

    private JsonNodes(byte[] bytes) => _bytes = bytes;

    public static Node? Read(string text, FaultList faults)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var nodes = new JsonNodes(bytes);
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = DocumentNodes.MaxDepth });
            reader.Read();
            var node = nodes.Value(ref reader);
            reader.Read();
            return node;
        }
        catch (JsonException fault)
        {
            var (line, column) = nodes.PlaceOf((int)(fault.LineNumber ?? 0), (int)(fault.BytePositionInLine ?? 0));
            var sentence = fault.Message.Split(" LineNumber:")[0];
            faults.Add(line, column, "", sentence.Contains("depth", StringComparison.Ordinal) ? YamlNodes.TooDeep : $"is not JSON: {sentence}");
        }
        catch (InvalidOperationException)
        {
            // The reader says so of an escaped half of a surrogate pair.
            faults.Add(nodes._line, 1, "", "must not have half a surrogate pair in a string");
        }

        return null;
    }

    private Node Value(ref Utf8JsonReader reader)
    {
        var place = Place((int)reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var entries = new List<Entry>();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var key = Place((int)reader.TokenStartIndex) with { Text = reader.GetString()! };
                    reader.Read();
                    entries.Add(new Entry(key, Value(ref reader)));
                }

                return place with { Kind = NodeKind.Mapping, Entries = entries, IsFlow = true };
            case JsonTokenType.StartArray:
                var items = new List<Node>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Add(Value(ref reader));
                return place with { Kind = NodeKind.Sequence, Items = items };
            case JsonTokenType.String:
                var origin = reader.ValueIsEscaped ? null : new TextOrigin(place.Line, place.Column + 1, false);
                return place with { Text = reader.GetString()!, Origin = origin };
            default:
                return place with { Text = Encoding.UTF8.GetString(reader.ValueSpan), IsPlain = true };
        }
    }

    private Node Place(int byteIndex)
    {
        for (; _at < byteIndex; _at++)
        {
            if (_bytes[_at] != (byte)'\n') continue;
            _line++;
            _lineStart = _at + 1;
        }

        return new Node(NodeKind.Scalar, _line, Encoding.UTF8.GetCharCount(_bytes, _lineStart, byteIndex - _lineStart) + 1);
    }

    private (int Line, int Column) PlaceOf(int line, int byteInLine)
    {
        var start = 0;
        for (var i = 0; i < line && start >= 0; i++) start = Array.IndexOf(_bytes, (byte)'\n', start) + 1;
        var length = Math.Min(byteInLine, _bytes.Length - start);
        return (line + 1, Encoding.UTF8.GetCharCount(_bytes, start, length) + 1);
    }
}
