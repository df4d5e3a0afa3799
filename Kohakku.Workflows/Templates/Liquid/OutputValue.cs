using System.Text.Encodings.Web;
using Fluid;
using Fluid.Ast;
using Fluid.Values;
using Kohakku.Workflows.Templates.Values;

namespace Kohakku.Workflows.Templates.Liquid;

/// <summary>
/// Stands for Fluid's output statement: objects and arrays are written as JSON, where Fluid writes nothing or runs them together, and a comparison as its
/// answer, where Fluid writes its left side.
/// </summary>
internal sealed class OutputValue(Expression expression) : Statement
{
    public Expression Expression => expression;

    public override async ValueTask<Completion> WriteToAsync(TextWriter writer, TextEncoder encoder, TemplateContext context)
    {
        context.IncrementSteps();
        var value = await expression.EvaluateAsync(context);
        if (value is BinaryExpressionFluidValue or MapValue or ArrayValue) await writer.WriteAsync(ValueJson.Text(value));
        else await value.WriteToAsync(writer, encoder, context.CultureInfo);
        return Completion.Normal;
    }
}
