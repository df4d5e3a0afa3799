using Fluid.Ast;

namespace Kohakku.Workflows.Templates.Liquid;

/// <summary>Puts our own, bounded nodes where Fluid's are not.</summary>
internal sealed class TemplateRewriter : AstRewriter
{
    protected override Statement VisitOutputStatement(OutputStatement outputStatement) => new OutputValue(Visit(outputStatement.Expression));

    protected override Expression VisitRangeExpression(RangeExpression rangeExpression) => new BoundedRange(Visit(rangeExpression.From), Visit(rangeExpression.To));

    // Fluid's rewriter doesn't look into an indexer, and a range may stand there.
    protected override Expression VisitMemberExpression(MemberExpression memberExpression) =>
        memberExpression.Segments.Any(segment => segment is IndexerSegment)
            ? new MemberExpression([.. memberExpression.Segments.Select(segment => segment is IndexerSegment indexer ? new IndexerSegment(Visit(indexer.Expression)) : segment)])
            : memberExpression;
}
