using System.Globalization;
using System.Text.Encodings.Web;
using Fluid;
using Fluid.Ast;
using Fluid.Parser;
using Fluid.Values;
using Kohakku.Workflows.Templates.Values;
using Microsoft.Extensions.FileProviders;

namespace Kohakku.Workflows.Templates.Liquid;

/// <summary>Fluid as it is let loose on templates: no files, no reflection on .NET's objects, no culture, no local time zone.</summary>
internal static class LiquidEngine
{
    private static readonly string[] Tags =
        ["assign", "break", "case", "comment", "continue", "cycle", "decrement", "echo", "for", "if", "increment", "raw", "unless", "#"];

    private static readonly FluidParser Parser = MakeParser();
    private static readonly TemplateOptions Options = MakeOptions();

    public static bool HasFilter(string name) => Options.Filters.TryGetValue(name, out _);

    /// <summary>The statements, or what is wrong and where.</summary>
    public static (IReadOnlyList<Statement>? Statements, TemplateFault? Fault) Parse(string template)
    {
        if (TemplateGuard.Fault(template) is { } fault) return (null, new TemplateFault(1, 1, fault));
        var context = new FluidParseContext(template);
        try
        {
            if (!Parser.Grammar.TryParse(context, out var statements, out var error) || error is not null)
                return (null, error is null ? At(context, "can't be read") : new TemplateFault(error.Position.Line, error.Position.Column, Sentence(error.Message)));
            return context.Scanner.Cursor.Eof ? (statements, null) : (null, At(context, "can't be read from here"));
        }
        catch (ParseException unknown)
        {
            return (null, At(context, Sentence(unknown.Message)));
        }
    }

    public static TemplateContext Context(TemplateScope scope)
    {
        var context = new TemplateContext(Options, StringComparer.Ordinal);
        RenderWork.Begin(context);
        ScopeValues.Set(context, scope);
        return context;
    }

    /// <summary>Nothing in here waits, so that the task is done when it comes back.</summary>
    public static string Render(FluidTemplate template, TemplateContext context)
    {
        using var writer = new BoundedWriter();
        template.RenderAsync(writer, NullEncoder.Default, context).AsTask().GetAwaiter().GetResult();
        return writer.ToString();
    }

    public static FluidValue Evaluate(Expression expression, TemplateContext context) => expression.EvaluateAsync(context).AsTask().GetAwaiter().GetResult();

    private static FluidParser MakeParser()
    {
        var parser = new FluidParser(new FluidParserOptions());
        foreach (var tag in parser.RegisteredTags.Keys.Except(Tags).ToArray()) parser.RegisteredTags.Remove(tag);
        parser.RegisterIdentifierBlock("capture", CaptureAsync);
        return parser;
    }

    private static TemplateOptions MakeOptions()
    {
        var options = new TemplateOptions
        {
            CultureInfo = CultureInfo.InvariantCulture,
            TimeZone = TimeZoneInfo.Utc,
            Now = TimeProvider.System.GetUtcNow,
            MaxSteps = TemplateLimits.MaxSteps,
            MaxRecursion = TemplateLimits.MaxRecursion,
            ModelNamesComparer = StringComparer.Ordinal,
            StrictFilters = true,
            FileProvider = new NullFileProvider(),
        };
        LiquidFilters.Install(options.Filters);
        return options;
    }

    /// <summary>Fluid's own writes into a text without an end.</summary>
    private static async ValueTask<Completion> CaptureAsync(
        string identifier, IReadOnlyList<Statement> statements, TextWriter writer, TextEncoder encoder, TemplateContext context)
    {
        await using var captured = new BoundedWriter();
        var completion = await statements.RenderStatementsAsync(captured, encoder, context);
        context.SetValue(identifier, new StringValue(captured.ToString()));
        return completion;
    }

    private static TemplateFault At(FluidParseContext context, string message) =>
        new(context.Scanner.Cursor.Position.Line, context.Scanner.Cursor.Position.Column, message);

    /// <summary>Fluid's message without the position it ends with: ours is that of the document.</summary>
    private static string Sentence(string? message)
    {
        message ??= "it can't be read";
        var at = message.LastIndexOf(" at (", StringComparison.Ordinal);
        return $"is not a template: {(at < 0 ? message : message[..at])}";
    }
}
