using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Fluid.Values;

namespace Kohakku.Workflows.Templates.Values;

/// <summary>Liquid's values as JSON, within the limits of a rendering.</summary>
internal static class ValueJson
{
    // The text goes to agents and people, not into HTML: letters stay letters.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = TemplateLimits.MaxDepth };

    /// <exception cref="TemplateException">It is too large or too deep.</exception>
    public static string Text(FluidValue value) => Encoding.UTF8.GetString(Bytes(writer => Write(writer, value)).WrittenSpan);

    /// <exception cref="TemplateException">It is too large or too deep.</exception>
    public static JsonElement Element(FluidValue value) => Element(writer => Write(writer, value));

    /// <exception cref="TemplateException">It is too large or too deep.</exception>
    public static JsonElement Element(Action<Utf8JsonWriter> write) => JsonElement.Parse(Bytes(write).WrittenSpan);

    private static ArrayBufferWriter<byte> Bytes(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Compact))
        {
            try
            {
                write(writer);
            }
            catch (InvalidOperationException fault) when (writer.CurrentDepth >= TemplateLimits.MaxDepth)
            {
                throw new TemplateException($"makes a value that is nested deeper than {TemplateLimits.MaxDepth}", fault);
            }
        }

        if (buffer.WrittenCount > TemplateLimits.MaxOutputBytes) throw TooLarge();
        return buffer;
    }

    public static void Write(Utf8JsonWriter writer, FluidValue value)
    {
        switch (value)
        {
            // Before all else: it has the type of its left side, and means its answer.
            case BinaryExpressionFluidValue answer: writer.WriteBooleanValue(answer.ToBooleanValue()); break;
            case JsonMap map: Write(writer, map.Element); break;
            case ArrayValue { Values: JsonItems items }: Write(writer, items.Element); break;
            case JsonNumber number: Write(writer, number.Element); break;
            case MapValue map:
                writer.WriteStartObject();
                foreach (var name in map.Names)
                {
                    writer.WritePropertyName(name);
                    Write(writer, map.Find(name)!);
                }

                writer.WriteEndObject();
                break;
            case ArrayValue array:
                writer.WriteStartArray();
                foreach (var item in array.Values) Write(writer, item);
                writer.WriteEndArray();
                break;
            case NumberValue number: writer.WriteNumberValue(number.ToNumberValue()); break;
            case BooleanValue boolean: writer.WriteBooleanValue(boolean.ToBooleanValue()); break;
            case BaseNilValue: writer.WriteNullValue(); break;
            case DateTimeValue time: writer.WriteStringValue((DateTimeOffset)time.ToObjectValue()); break;
            default: writer.WriteStringValue(value.ToStringValue()); break;
        }

        if (writer.BytesCommitted + writer.BytesPending > TemplateLimits.MaxOutputBytes) throw TooLarge();
    }

    private static void Write(Utf8JsonWriter writer, JsonElement element)
    {
        if (JsonMarshal.GetRawUtf8Value(element).Length > 2 * TemplateLimits.MaxOutputBytes) throw TooLarge();
        element.WriteTo(writer);
    }

    private static TemplateException TooLarge() => new($"makes more than {TemplateLimits.MaxOutputBytes / 1024} KiB");
}
