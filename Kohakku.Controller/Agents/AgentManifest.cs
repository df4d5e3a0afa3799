using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlScalar = YamlDotNet.Core.Events.Scalar;

namespace Kohakku.Controller.Agents;

/// <summary>
/// Reads <c>agent.yaml</c>: the body of a PUT of the agent, in YAML, with its <c>name</c>:
/// <code>
/// name: shell
/// image: shell
/// command: [sh, -eu, BRIEF.md]
/// mode: exec
/// resources: { memoryMb: 512 }
/// </code>
/// </summary>
internal static class AgentManifest
{
    private const string ResourcePrefix = "agents/";

    /// <summary>The agents that this release comes with.</summary>
    public static IEnumerable<(string Name, PutAgent Agent)> BuiltIn()
    {
        var assembly = typeof(AgentManifest).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            yield return Parse(reader.ReadToEnd());
        }
    }

    /// <exception cref="InvalidDataException">It is not a manifest; the message says where.</exception>
    public static (string Name, PutAgent Agent) Parse(string yaml)
    {
        try
        {
            using var json = JsonDocument.Parse(ToJson(yaml));
            var name = json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("name", out var given) ? given.GetString() : null;
            return (name ?? throw new InvalidDataException("agent.yaml has no name."), json.Deserialize(ContractsJson.Default.PutAgent)!);
        }
        catch (Exception fault) when (fault is YamlException or JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"agent.yaml can't be read: {fault.Message}", fault);
        }
    }

    /// <summary>YAML's plain scalars become JSON's numbers, booleans and null, as its core schema has them; quoted ones stay text.</summary>
    private static byte[] ToJson(string yaml)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            var parser = new Parser(new StringReader(yaml));
            parser.Consume<StreamStart>();
            parser.Consume<DocumentStart>();
            WriteNode(parser, writer);
        }

        return stream.ToArray();
    }

    private static void WriteNode(Parser parser, Utf8JsonWriter writer)
    {
        if (parser.TryConsume<MappingStart>(out _))
        {
            writer.WriteStartObject();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                writer.WritePropertyName(parser.Consume<YamlScalar>().Value);
                WriteNode(parser, writer);
            }

            writer.WriteEndObject();
        }
        else if (parser.TryConsume<SequenceStart>(out _))
        {
            writer.WriteStartArray();
            while (!parser.TryConsume<SequenceEnd>(out _)) WriteNode(parser, writer);
            writer.WriteEndArray();
        }
        else
        {
            WriteScalar(parser.Consume<YamlScalar>(), writer);
        }
    }

    private static void WriteScalar(YamlScalar scalar, Utf8JsonWriter writer)
    {
        if (scalar.Style != ScalarStyle.Plain) writer.WriteStringValue(scalar.Value);
        else if (scalar.Value is "" or "~" or "null") writer.WriteNullValue();
        else if (scalar.Value is "true" or "false") writer.WriteBooleanValue(scalar.Value == "true");
        else if (long.TryParse(scalar.Value, System.Globalization.CultureInfo.InvariantCulture, out var whole)) writer.WriteNumberValue(whole);
        else if (decimal.TryParse(scalar.Value, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var number)) writer.WriteNumberValue(number);
        else writer.WriteStringValue(scalar.Value);
    }
}
