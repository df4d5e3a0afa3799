using System.Text;
using System.Text.Json;
using Kohakku.Workflows.Definitions.Reading;

namespace Kohakku.Tests.Workflows.Definitions;

/// <summary>A document in YAML as the same document in JSON.</summary>
internal static class DocumentJson
{
    public static string Of(string yaml)
    {
        var faults = new FaultList();
        var node = DocumentNodes.Read(yaml, faults);
        Assert.False(faults.Any);
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true })) Write(writer, node!);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Write(Utf8JsonWriter writer, Node node)
    {
        switch (node.Kind)
        {
            case NodeKind.Mapping:
                writer.WriteStartObject();
                foreach (var entry in node.Entries)
                {
                    writer.WritePropertyName(entry.Key.Text);
                    Write(writer, entry.Value);
                }

                writer.WriteEndObject();
                break;
            case NodeKind.Sequence:
                writer.WriteStartArray();
                foreach (var item in node.Items) Write(writer, item);
                writer.WriteEndArray();
                break;
            default:
                CoreSchema.Write(writer, node);
                break;
        }
    }
}
