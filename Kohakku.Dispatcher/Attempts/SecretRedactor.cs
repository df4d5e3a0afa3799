using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>
/// Replaces the exact values of an attempt's secrets by <c>***</c> in everything the agent says. Values under six characters are left:
/// they would redact half of any text. Also makes text fit to be stored: no zero characters, which Postgres refuses.
/// </summary>
internal sealed class SecretRedactor
{
    public const int ShortestSecret = 6;
    private const string Mask = "***";
    private readonly string[] secrets;

    public SecretRedactor(IReadOnlyDictionary<string, string> secrets) =>
        // The longest first: one secret may contain another.
        this.secrets = [.. secrets.Values.Where(value => value.Length >= ShortestSecret).Distinct().OrderByDescending(value => value.Length)];

    public bool HasSecrets => secrets.Length > 0;

    public string Text(string text)
    {
        foreach (var secret in secrets) text = text.Replace(secret, Mask, StringComparison.Ordinal);
        return text.Contains('\0') ? text.Replace('\0', '\uFFFD') : text;
    }

    public string? TextOrNull(string? text) => text is null ? null : Text(text);

    /// <summary>The same for every string and property name of a JSON value.</summary>
    public JsonElement? Json(JsonElement? value)
    {
        if (value is not { } element) return null;
        // Without secrets only an escape can hold what must not be stored.
        if (!HasSecrets && !element.GetRawText().Contains("\\u", StringComparison.Ordinal)) return element;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer)) Write(writer, element);
        return JsonElement.Parse(buffer.WrittenSpan);
    }

    /// <summary>How many characters at the end of <paramref name="text"/> may be the beginning of a secret that goes on in the next piece.</summary>
    public int OpenEnd(ReadOnlySpan<char> text)
    {
        var longest = 0;
        foreach (var secret in secrets)
        {
            for (var length = Math.Min(secret.Length - 1, text.Length); length > longest; length--)
            {
                if (!text.EndsWith(secret.AsSpan(0, length), StringComparison.Ordinal)) continue;
                longest = length;
                break;
            }
        }
        return longest;
    }

    private void Write(Utf8JsonWriter writer, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in element.EnumerateObject())
                {
                    writer.WritePropertyName(Text(property.Name));
                    Write(writer, property.Value);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray()) Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Text(StringOf(element)));
                break;
            default:
                // Numbers keep their digits, and a secret made of digits is one all the same.
                var raw = element.GetRawText();
                if (Text(raw) == raw) element.WriteTo(writer);
                else writer.WriteStringValue(Mask);
                break;
        }
    }

    // A lone surrogate ("\ud800") is JSON, but no text.
    private static string StringOf(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }
}

/// <summary>
/// Redacts a text that comes in pieces: what may be the beginning of a secret is held back until the next piece shows what it is.
/// Not thread-safe.
/// </summary>
internal sealed class StreamRedactor(SecretRedactor redactor)
{
    private readonly StringBuilder held = new();

    public string Append(string piece)
    {
        if (!redactor.HasSecrets) return redactor.Text(piece);
        var text = held.Length == 0 ? piece : held.Append(piece).ToString();
        held.Clear();
        // Whole secrets go first, so that the end of one is not taken for the beginning of another.
        text = redactor.Text(text);
        var open = redactor.OpenEnd(text);
        held.Append(text, text.Length - open, open);
        return text[..^open];
    }

    /// <summary>What is still held back: nothing follows it any more.</summary>
    public string Flush()
    {
        var rest = held.ToString();
        held.Clear();
        return rest;
    }
}
