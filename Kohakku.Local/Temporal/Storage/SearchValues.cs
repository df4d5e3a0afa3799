using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Temporalio.Api.Common.V1;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>
/// Search attributes as one JSON object that the database can compare, such as
/// <c>{"Customer":"ada","Amount":12,"Due":"2026-05-01T10:00:00.0000000Z","Tags":["a","b"]}</c>.
/// </summary>
internal static class SearchValues
{
    /// <summary>In which times are stored, always UTC: their order as text is their order in time.</summary>
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'";

    /// <summary>Null when there is none. What is not JSON, or can't be kept as JSON by Postgres, is left out: it can't be searched, but it is no reason not to run.</summary>
    public static string? Json(SearchAttributes? attributes)
    {
        if (attributes is null || attributes.IndexedFields.Count == 0) return null;
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (name, payload) in attributes.IndexedFields)
            {
                if (Parse(payload) is not { } value || name.Contains('\0', StringComparison.Ordinal)) continue;
                writer.WritePropertyName(name);
                if (IsTime(payload) && TryTime(value, out var time)) writer.WriteStringValue(time);
                else value.WriteTo(writer);
            }
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static JsonElement? Parse(Payload payload)
    {
        try
        {
            var reader = new Utf8JsonReader(payload.Data.Span);
            var value = JsonElement.ParseValue(ref reader);
            var isUnset = value.ValueKind is JsonValueKind.Null || (value.ValueKind is JsonValueKind.Array && value.GetArrayLength() == 0);
            return isUnset || HoldsZero(value) ? null : value;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool HoldsZero(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!.Contains('\0', StringComparison.Ordinal),
        JsonValueKind.Array => value.EnumerateArray().Any(HoldsZero),
        _ => false,
    };

    private static bool IsTime(Payload payload) =>
        payload.Metadata.TryGetValue("type", out var type) && type.ToStringUtf8() is "Datetime" or "INDEXED_VALUE_TYPE_DATETIME";

    private static bool TryTime(JsonElement value, out string text)
    {
        text = "";
        if (value.ValueKind is not JsonValueKind.String) return false;
        if (!DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return false;
        text = time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        return true;
    }
}
