using Fluid.Ast;
using Fluid.Parser;
using Fluid.Values;
using Kohakku.Workflows.Templates.Liquid;
using Kohakku.Workflows.Templates.Values;

namespace Kohakku.Workflows.Templates;

/// <summary>Collects what a template looks at. It walks in the order of the text, so that a name counts as the template's own from where it is made.</summary>
internal sealed class ReferenceVisitor : AstVisitor
{
    private readonly HashSet<string> _steps = new(StringComparer.Ordinal);
    private readonly HashSet<string> _inputs = new(StringComparer.Ordinal);
    private readonly HashSet<string> _roots = new(StringComparer.Ordinal);
    private readonly List<string> _unknown = [];
    private readonly List<string> _own = [];
    private bool _allSteps;
    private bool _allInputs;

    /// <summary>The first filter that there is none of.</summary>
    public string? UnknownFilter { get; private set; }

    public bool UsesFilters { get; private set; }

    public TemplateReferences Found => new()
    {
        Steps = _steps, AllSteps = _allSteps, Inputs = _inputs, AllInputs = _allInputs, Unknown = [.. _unknown.Distinct()],
        UsesRun = _roots.Contains("run"), UsesItem = _roots.Contains("item"), UsesIndex = _roots.Contains("index"),
        UsesCandidates = _roots.Contains("candidates"), UsesNow = _roots.Contains("now"),
    };

    protected override Expression VisitFilterExpression(FilterExpression filterExpression)
    {
        base.VisitFilterExpression(filterExpression);
        UsesFilters = true;
        if (!LiquidEngine.HasFilter(filterExpression.Name)) UnknownFilter ??= filterExpression.Name;
        return filterExpression;
    }

    protected override Expression VisitLiteralExpression(LiteralExpression literalExpression)
    {
        // `{{ "now" | date: "%Y" }}` is Liquid's way to ask for the time.
        if (literalExpression.Value is StringValue text && text.ToStringValue() is "now" or "today") _roots.Add("now");
        return literalExpression;
    }

    protected override Statement VisitAssignStatement(AssignStatement assignStatement)
    {
        base.VisitAssignStatement(assignStatement);
        _own.Add(assignStatement.Identifier);
        return assignStatement;
    }

    protected override Statement VisitIncrementStatement(IncrementStatement incrementStatement)
    {
        _own.Add(incrementStatement.Identifier);
        return incrementStatement;
    }

    protected override Statement VisitDecrementStatement(DecrementStatement decrementStatement)
    {
        _own.Add(decrementStatement.Identifier);
        return decrementStatement;
    }

    protected override Statement VisitParserBlockStatement<T>(ParserBlockStatement<T> parserBlockStatement)
    {
        base.VisitParserBlockStatement(parserBlockStatement);
        if (parserBlockStatement is { TagName: "capture", Value: string captured }) _own.Add(captured);
        return parserBlockStatement;
    }

    protected override Statement VisitForStatement(ForStatement forStatement)
    {
        Visit(forStatement.Source);
        Visit(forStatement.Limit);
        if (!forStatement.OffsetIsContinue) Visit(forStatement.Offset);
        _own.AddRange([forStatement.Identifier, "forloop", "parentloop"]);
        foreach (var statement in forStatement.Statements) Visit(statement);
        // What the body assigned outlives the loop; its own three don't.
        foreach (var name in (string[])[forStatement.Identifier, "forloop", "parentloop"]) _own.Remove(name);
        Visit(forStatement.Else);
        return forStatement;
    }

    // In the order of the text, which Fluid's visitor doesn't keep.
    protected override Statement VisitIfStatement(IfStatement ifStatement)
    {
        Visit(ifStatement.Condition);
        foreach (var statement in ifStatement.Statements) Visit(statement);
        foreach (var branch in ifStatement.ElseIfs) Visit(branch);
        Visit(ifStatement.Else);
        return ifStatement;
    }

    protected override Expression VisitMemberExpression(MemberExpression memberExpression)
    {
        var segments = memberExpression.Segments;
        foreach (var indexer in segments.OfType<IndexerSegment>()) Visit(indexer.Expression);
        if (segments[0] is not IdentifierSegment { Identifier: var root } || _own.Contains(root)) return memberExpression;
        if (!ScopeValues.Roots.Contains(root)) _unknown.Add(root);
        _roots.Add(root);
        var first = segments.Count > 1 ? NameOf(segments[1]) : null;
        if (root == "steps") Step(first, segments);
        else if (root == "run" && first is not null && !ScopeValues.RunNames.Contains(first)) _unknown.Add($"run.{first}");
        else if (root == "inputs" && first is null) _allInputs = true;
        else if (root == "inputs") _inputs.Add(first!);
        return memberExpression;
    }

    private void Step(string? id, IReadOnlyList<MemberSegment> segments)
    {
        if (id is null)
        {
            _allSteps = true;
            return;
        }

        _steps.Add(id);
        if (segments.Count > 2 && NameOf(segments[2]) is { } member && !ScopeValues.StepNames.Contains(member)) _unknown.Add($"steps.{id}.{member}");
    }

    private static string? NameOf(MemberSegment segment) => segment switch
    {
        IdentifierSegment name => name.Identifier,
        IndexerSegment { Expression: LiteralExpression { Value: StringValue text } } => text.ToStringValue(),
        _ => null,
    };
}
