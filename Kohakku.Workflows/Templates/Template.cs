using System.Text.Json;
using Fluid;
using Fluid.Values;
using Kohakku.Workflows.Templates.Liquid;
using Kohakku.Workflows.Templates.Values;

namespace Kohakku.Workflows.Templates;

/// <summary>
/// Renders Liquid. It may be called from activities only, never from a workflow: a template can read the clock, and how much it may do is bounded, but not
/// how long it takes. Every failure is a <see cref="TemplateException"/>.
/// </summary>
public static class Template
{
    private const int ExcerptLength = 80;

    /// <summary>As text: what isn't defined and null are empty, objects and arrays are JSON.</summary>
    public static string Text(string template, TemplateScope scope) => !CompiledTemplate.IsTemplate(template)
        ? template
        : Guarded(template, compiled => LiquidEngine.Render(compiled.Whole!, LiquidEngine.Context(scope)));

    /// <summary>
    /// The tree with its strings rendered. A string that is exactly one <c>{{ e }}</c> becomes e's value with its type; all else is text and stays a string:
    /// "5" is not made a number. The names in objects are not templates.
    /// </summary>
    public static JsonElement Value(JsonElement tree, TemplateScope scope)
    {
        if (tree.ValueKind == JsonValueKind.String) return ValueOf(tree.GetString()!, scope);
        try
        {
            return ValueJson.Element(writer => WriteTree(writer, tree, scope));
        }
        catch (TemplateException fault) when (!fault.Message.StartsWith('`'))
        {
            throw new TemplateException($"the value {fault.Message}", fault);
        }
    }

    /// <summary>As <see cref="Value"/>, of one string.</summary>
    public static JsonElement ValueOf(string template, TemplateScope scope) => Guarded(template, compiled =>
        ValueJson.Element(compiled.Expression is { } expression
            ? LiquidEngine.Evaluate(expression, LiquidEngine.Context(scope))
            : new StringValue(LiquidEngine.Render(compiled.Whole!, LiquidEngine.Context(scope)))));

    /// <summary>What <c>{% if e %}</c> would decide: all is true but false, null and what isn't defined.</summary>
    /// <param name="ifTemplate">One <c>{{ e }}</c>, without filters.</param>
    public static bool Test(string ifTemplate, TemplateScope scope)
    {
        if (CheckCondition(ifTemplate) is { } fault) throw new TemplateException($"{Excerpt(ifTemplate)} {fault}");
        return Guarded(ifTemplate.Trim(), compiled => LiquidEngine.Evaluate(compiled.Expression!, LiquidEngine.Context(scope)).ToBooleanValue());
    }

    /// <summary>Why it can't be parsed; null: it can.</summary>
    public static string? Check(string template) => CompiledTemplate.Of(template).Fault is { } fault ? At(fault) : null;

    /// <summary>As <see cref="Check"/>, of what must be exactly one <c>{{ e }}</c>, like <c>for_each</c>.</summary>
    public static string? CheckExpression(string template) =>
        Check(template.Trim()) ?? (IsExpression(template.Trim()) ? null : "must be exactly one {{ expression }}");

    /// <summary>As <see cref="CheckExpression"/>, of <c>if</c>, which takes no filters: Liquid's own <c>if</c> has none.</summary>
    public static string? CheckCondition(string template) => CheckExpression(template) ??
        (CompiledTemplate.Of(template.Trim()).UsesFilters ? "must not use filters; it takes operators, and .size for how many there are" : null);

    internal static string Excerpt(string template)
    {
        var line = template.Trim().ReplaceLineEndings(" ");
        return line.Length <= ExcerptLength ? $"`{line}`" : $"`{line[..(char.IsHighSurrogate(line[ExcerptLength - 1]) ? ExcerptLength - 1 : ExcerptLength)]}…`";
    }

    private static string At(TemplateFault fault) => fault is { Line: <= 1, Column: <= 1 } ? fault.Message : $"{fault.Message} (line {fault.Line}, column {fault.Column} of it)";

    private static bool IsExpression(string template) =>
        template.StartsWith("{{", StringComparison.Ordinal) && CompiledTemplate.Of(template).Expression is not null;

    private static void WriteTree(Utf8JsonWriter writer, JsonElement tree, TemplateScope scope)
    {
        switch (tree.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in tree.EnumerateObject())
                {
                    writer.WritePropertyName(property.Name);
                    WriteTree(writer, property.Value, scope);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in tree.EnumerateArray()) WriteTree(writer, item, scope);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String when tree.GetString() is { } text && CompiledTemplate.IsTemplate(text):
                ValueOf(text, scope).WriteTo(writer);
                break;
            case JsonValueKind.Undefined: writer.WriteNullValue(); break;
            default: tree.WriteTo(writer); break;
        }

        if (writer.BytesCommitted + writer.BytesPending > TemplateLimits.MaxOutputBytes)
            throw new TemplateException($"makes more than {TemplateLimits.MaxOutputBytes / 1024} KiB");
    }

    private static T Guarded<T>(string template, Func<CompiledTemplate, T> render)
    {
        try
        {
            return render(CompiledTemplate.Of(template).OrThrow());
        }
        catch (TemplateException fault) when (!fault.Message.StartsWith('`'))
        {
            throw new TemplateException($"{Excerpt(template)} {fault.Message}", fault);
        }
        // Whatever Fluid and its filters throw (a division by zero, a number too large, two kinds that can't be sorted) is the template's fault.
        catch (Exception fault) when (fault is not (TemplateException or OutOfMemoryException))
        {
            throw new TemplateException($"{Excerpt(template)} can't be rendered: {Reason(fault)}", fault);
        }
    }

    private static string Reason(Exception fault) => fault is InvalidOperationException && fault.Message.Contains("level of recursion", StringComparison.Ordinal)
        ? $"it takes more than {TemplateLimits.MaxSteps} steps"
        : fault.Message;
}
