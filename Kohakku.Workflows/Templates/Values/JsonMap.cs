using System.Text.Json;
using Fluid.Values;

namespace Kohakku.Workflows.Templates.Values;

/// <summary>A JSON object; nothing of it is copied.</summary>
internal sealed class JsonMap(JsonElement element) : MapValue
{
    public JsonElement Element => element;

    public override int Count => element.GetPropertyCount();

    public override IEnumerable<string> Names => element.EnumerateObject().Select(property => property.Name);

    public override FluidValue? Find(string name) => element.TryGetProperty(name, out var value) ? JsonValues.Of(value) : null;
}
