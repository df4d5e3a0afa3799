using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Local.Temporal.Visibility;

/// <summary>Whether a run may have these search attributes: they must be registered, their values of their types and of bounded size.</summary>
internal static class SearchAttributeCheck
{
    private const int MostAttributes = 100;
    private const int LargestValueBytes = 2 << 10;
    private const int LargestTotalBytes = 40 << 10;
    private const string TypeKey = "type";

    /// <summary>Also writes each value's type into its metadata where it is missing.</summary>
    /// <exception cref="InvalidSearchAttributeException"/>
    public static void Validate(this SearchAttributeRegistry registry, string @namespace, SearchAttributes? attributes)
    {
        if (attributes is null || attributes.IndexedFields.Count == 0) return;
        if (attributes.IndexedFields.Count > MostAttributes)
            throw new InvalidSearchAttributeException($"number of search attributes {attributes.IndexedFields.Count} exceeds limit {MostAttributes}");
        foreach (var (name, payload) in attributes.IndexedFields) Validate(registry, @namespace, name, payload);
        if (attributes.CalculateSize() is var size && size > LargestTotalBytes)
            throw new InvalidSearchAttributeException($"total size of search attributes {size} exceeds size limit {LargestTotalBytes}");
    }

    /// <summary>Writes the types that are known and missing, for values that were set before they had to have one.</summary>
    public static void SetTypes(this SearchAttributeRegistry registry, string @namespace, SearchAttributes attributes)
    {
        foreach (var (name, payload) in attributes.IndexedFields)
            if (registry.TypeOf(@namespace, name) is { } type) SetType(payload, type);
    }

    private static void Validate(SearchAttributeRegistry registry, string @namespace, string name, Payload payload)
    {
        if (SearchAttributeTypes.System.ContainsKey(name) || (SearchAttributeTypes.Predefined.ContainsKey(name) && !SearchAttributeTypes.Settable.ContainsKey(name)))
            throw new InvalidSearchAttributeException($"{name} attribute can't be set in SearchAttributes");
        if (registry.TypeOf(@namespace, name) is not { } type)
            throw new InvalidSearchAttributeException($"Namespace {@namespace} has no mapping defined for search attribute {name}");
        if (payload.Data.Length > LargestValueBytes)
            throw new InvalidSearchAttributeException($"search attribute {name} value size {payload.Data.Length} exceeds size limit {LargestValueBytes}");
        if (!IsOf(payload, type, out var shown))
            throw new InvalidSearchAttributeException($"invalid value for search attribute {name} of type {type.Name()}: {shown}");
        SetType(payload, type);
    }

    private static void SetType(Payload payload, IndexedValueType type)
    {
        if (!payload.Metadata.ContainsKey(TypeKey)) payload.Metadata[TypeKey] = ByteString.CopyFromUtf8(type.Name());
    }

    /// <summary>Null and the empty list are of any type: they take the attribute away.</summary>
    private static bool IsOf(Payload payload, IndexedValueType type, out string shown)
    {
        shown = "";
        var encoding = payload.Metadata.TryGetValue("encoding", out var value) ? value.ToStringUtf8() : "";
        if (encoding == "binary/null") return true;
        shown = $"value from <{payload}>";
        if (encoding != "json/plain") return false;
        try
        {
            using var document = JsonDocument.Parse(payload.Data.Memory);
            shown = Shown(document.RootElement);
            return IsOf(document.RootElement, type);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>A list stands for several values of an attribute of any type.</summary>
    private static bool IsOf(JsonElement value, IndexedValueType type) => value.ValueKind switch
    {
        JsonValueKind.Null => true,
        JsonValueKind.Array => value.EnumerateArray().All(item => IsOne(item, type)),
        _ => type is not IndexedValueType.KeywordList && IsOne(value, type),
    };

    private static bool IsOne(JsonElement value, IndexedValueType type) => type switch
    {
        IndexedValueType.Bool => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        IndexedValueType.Int => value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out _) && !value.GetRawText().AsSpan().ContainsAny('.', 'e', 'E'),
        IndexedValueType.Double => value.ValueKind is JsonValueKind.Number,
        IndexedValueType.Datetime => value.ValueKind is JsonValueKind.String && Queries.QueryValues.TryTime(value.GetString()!, out _),
        _ => value.ValueKind is JsonValueKind.String,
    };

    private static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Array => $"[{string.Join(' ', value.EnumerateArray().Select(Shown))}]",
        JsonValueKind.Number when value.TryGetInt64(out var number) => number.ToString(CultureInfo.InvariantCulture),
        _ => value.GetRawText(),
    };
}
