using System.Globalization;
using System.Text.Encodings.Web;
using Fluid;
using Fluid.Values;

namespace Kohakku.Workflows.Templates.Values;

/// <summary>An object, as Liquid sees it: members by name in their own order, <c>size</c> where no member is called so, pairs to loop over.</summary>
internal abstract class MapValue : FluidValue
{
    public override FluidValues Type => FluidValues.Dictionary;

    public abstract int Count { get; }

    public abstract IEnumerable<string> Names { get; }

    public abstract FluidValue? Find(string name);

    public override ValueTask<FluidValue> GetValueAsync(string name, TemplateContext context) =>
        Find(name) ?? (name == "size" ? NumberValue.Create(Count) : NilValue.Instance);

    public override ValueTask<FluidValue> GetIndexAsync(FluidValue index, TemplateContext context) => Find(index.ToStringValue()) ?? NilValue.Instance;

    public override bool Contains(FluidValue value) => Find(value.ToStringValue()) is not null;

    public override IEnumerable<FluidValue> Enumerate(TemplateContext context) =>
        Names.Select(name => (FluidValue)new ArrayValue([new StringValue(name), Find(name)!]));

    public override bool Equals(FluidValue? other) => other switch
    {
        MapValue map => Count == map.Count && Names.All(name => map.Find(name) is { } value && value.Equals(Find(name)!)),
        EmptyValue or BlankValue => Count == 0,
        _ => false,
    };

    public override bool Equals(object? obj) => obj is FluidValue value && Equals(value);

    /// <summary>Of its plain members, in any order: enough to keep <c>uniq</c> from comparing each with each.</summary>
    public override int GetHashCode() =>
        Names.Aggregate(Count, (sum, name) => sum + (HashCode.Combine(name, Find(name) is { } value and (StringValue or NumberValue) ? value : null)));

    public override bool ToBooleanValue() => true;

    /// <summary>What Fluid asks to tell whether it is empty.</summary>
    public override decimal ToNumberValue() => Count;

    public override string ToStringValue() => ValueJson.Text(this);

    public override object ToObjectValue() => this;

    public override ValueTask WriteToAsync(TextWriter writer, TextEncoder encoder, CultureInfo cultureInfo)
    {
        writer.Write(ToStringValue());
        return default;
    }
}
