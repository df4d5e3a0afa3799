using System.Collections.Concurrent;
using Fluid.Ast;
using Fluid.Parser;
using Kohakku.Workflows.Templates.Liquid;

namespace Kohakku.Workflows.Templates;

/// <summary>A template once parsed; the newest thousand or so are kept, since a run renders the same ones again and again.</summary>
internal sealed class CompiledTemplate
{
    private const int MaxKept = 1024;
    private const int MaxKeptLength = 16 * 1024;
    private static readonly ConcurrentDictionary<string, CompiledTemplate> Kept = new(StringComparer.Ordinal);

    private CompiledTemplate(string text, IReadOnlyList<Statement>? statements, TemplateFault? fault)
    {
        Text = text;
        Fault = fault;
        if (statements is null) return;
        var visitor = new ReferenceVisitor();
        foreach (var statement in statements) visitor.Visit(statement);
        if (visitor.UnknownFilter is { } filter) Fault = new TemplateFault(1, 1, $"uses the filter `{filter}`, which there is not");
        References = visitor.Found;
        UsesFilters = visitor.UsesFilters;
        Whole = (FluidTemplate)new TemplateRewriter().VisitTemplate(new FluidTemplate(statements));
        if (Whole.Statements is [OutputValue output] && text.StartsWith("{{", StringComparison.Ordinal) && text.EndsWith("}}", StringComparison.Ordinal))
            Expression = output.Expression;
    }

    public string Text { get; }

    public TemplateFault? Fault { get; }

    public TemplateReferences References { get; } = TemplateReferences.None;

    public bool UsesFilters { get; }

    /// <summary>Null: it has a fault.</summary>
    public FluidTemplate? Whole { get; }

    /// <summary>The e of a template that is exactly one <c>{{ e }}</c>.</summary>
    public Expression? Expression { get; }

    /// <summary>Whether there is anything in it to render.</summary>
    public static bool IsTemplate(string text) => text.Contains("{{", StringComparison.Ordinal) || text.Contains("{%", StringComparison.Ordinal);

    public static CompiledTemplate Of(string text)
    {
        if (Kept.TryGetValue(text, out var known)) return known;
        var (statements, fault) = LiquidEngine.Parse(text);
        var compiled = new CompiledTemplate(text, statements, fault);
        if (text.Length > MaxKeptLength) return compiled;
        // All at once rather than by age: it is refilled within a moment, and needs no list of who came when.
        if (Kept.Count >= MaxKept) Kept.Clear();
        return Kept.GetOrAdd(text, compiled);
    }

    public CompiledTemplate OrThrow() => Fault is { } fault ? throw new TemplateException($"{Template.Excerpt(Text)} {fault.Message}") : this;
}
