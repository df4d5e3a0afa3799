using Fluid;
using Fluid.Ast;
using Fluid.Values;

namespace Kohakku.Workflows.Templates.Liquid;

/// <summary>Stands for Fluid's range, which makes its whole array, however long: <c>(1..2000000000)</c>.</summary>
internal sealed class BoundedRange(Expression from, Expression to) : Expression
{
    public override async ValueTask<FluidValue> EvaluateAsync(TemplateContext context)
    {
        var first = (await from.EvaluateAsync(context)).ToNumberValue();
        var last = (await to.EvaluateAsync(context)).ToNumberValue();
        if (last < first) return ArrayValue.Empty;
        if (last - first >= TemplateLimits.MaxItems) RenderWork.CheckItems(long.MaxValue);
        var values = new FluidValue[(int)(last - first) + 1];
        for (var i = 0; i < values.Length; i++) values[i] = NumberValue.Create(decimal.Truncate(first) + i);
        return new ArrayValue(values);
    }
}
