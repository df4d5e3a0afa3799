using System.Text.Json;
using Fluid.Values;

namespace Kohakku.Workflows.Templates.Values;

/// <summary>JSON as Liquid's values.</summary>
internal static class JsonValues
{
    public static FluidValue Of(JsonElement? element) => element is { } value ? Of(value) : NilValue.Instance;

    public static FluidValue Of(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => new JsonMap(element),
        JsonValueKind.Array => new ArrayValue(new JsonItems(element)),
        JsonValueKind.String => new StringValue(element.GetString()),
        JsonValueKind.Number => JsonNumber.Exactly(element) is { } number ? NumberValue.Create(number) : new JsonNumber(element),
        JsonValueKind.True => BooleanValue.True,
        JsonValueKind.False => BooleanValue.False,
        _ => NilValue.Instance,
    };

    public static FluidValue Of(IReadOnlyList<JsonElement?> elements) => new ArrayValue([.. elements.Select(Of)]);
}
