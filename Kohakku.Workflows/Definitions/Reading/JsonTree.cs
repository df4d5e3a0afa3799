using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>Nodes as JSON: what the document leaves to others keeps its types and its order.</summary>
internal sealed class JsonTree(DocumentReading reading, TemplateRole? role)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <param name="role">That of its strings; null: they are no templates.</param>
    public static JsonElement Of(Node node, string path, DocumentReading reading, TemplateRole? role = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Options)) new JsonTree(reading, role).Write(writer, node, path);
        return JsonElement.Parse(buffer.WrittenSpan, new JsonDocumentOptions { MaxDepth = DocumentNodes.MaxDepth + 1 });
    }

    /// <summary>As <see cref="Of"/>, of what must be an object.</summary>
    public static JsonElement? Object(Fields fields, string key, DocumentReading reading, TemplateRole? role = null)
    {
        if (fields.Find(key) is not { } node) return null;
        if (node.Kind == NodeKind.Mapping) return Of(node, fields.At(key), reading, role);
        reading.Faults.Add(node, fields.At(key), $"must be an object, but is {node.Description}");
        return null;
    }

    private void Write(Utf8JsonWriter writer, Node node, string path)
    {
        switch (node.Kind)
        {
            case NodeKind.Mapping:
                writer.WriteStartObject();
                var seen = new HashSet<string>(StringComparer.Ordinal);
                foreach (var entry in node.Entries)
                {
                    var at = $"{path}.{entry.Key.Text}";
                    Scalars.Checked(entry.Key, at, reading.Faults);
                    if (!seen.Add(entry.Key.Text))
                    {
                        reading.Faults.Add(entry.Key, at, "stands here twice");
                        continue;
                    }

                    writer.WritePropertyName(entry.Key.Text);
                    Write(writer, entry.Value, at);
                }

                writer.WriteEndObject();
                break;
            case NodeKind.Sequence:
                writer.WriteStartArray();
                for (var i = 0; i < node.Items.Count; i++) Write(writer, node.Items[i], $"{path}[{i}]");
                writer.WriteEndArray();
                break;
            default:
                WriteScalar(writer, node, path);
                break;
        }
    }

    private void WriteScalar(Utf8JsonWriter writer, Node node, string path)
    {
        Scalars.Checked(node, path, reading.Faults);
        if (node.IsPlain && IsUnwritable(node.Text)) reading.Faults.Add(node, path, "must be a number that JSON has, or quoted");
        if (role is { } templates) reading.Template(node, path, templates);
        CoreSchema.Write(writer, node);
    }

    private static bool IsUnwritable(string text) => text.TrimStart('-', '+').ToLowerInvariant() is ".inf" or ".nan";
}
