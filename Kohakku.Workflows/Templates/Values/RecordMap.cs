using Fluid.Values;

namespace Kohakku.Workflows.Templates.Values;

/// <summary>An object of Kohakku's own: <c>run</c>, <c>steps</c>, one step. Its members are made when they are asked for.</summary>
internal sealed class RecordMap(IReadOnlyList<string> names, Func<string, FluidValue?> find) : MapValue
{
    public override int Count => names.Count;

    public override IEnumerable<string> Names => names;

    public override FluidValue? Find(string name) => find(name);
}
