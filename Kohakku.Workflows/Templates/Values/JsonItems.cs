using System.Collections;
using System.Text.Json;
using Fluid.Values;

namespace Kohakku.Workflows.Templates.Values;

/// <summary>The items of a JSON array, wrapped when they are first asked for: a large output of which only the size is asked costs nothing.</summary>
internal sealed class JsonItems(JsonElement element) : IReadOnlyList<FluidValue>
{
    // Not thread-safe, and needn't be: values live in one rendering.
    private FluidValue[]? _items;

    public JsonElement Element => element;

    public int Count => element.GetArrayLength();

    public FluidValue this[int index] => Items[index];

    private FluidValue[] Items => _items ??= [.. element.EnumerateArray().Select(JsonValues.Of)];

    public IEnumerator<FluidValue> GetEnumerator() => Items.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
