namespace Kohakku.Workflows.Definitions;

/// <summary>What is wrong with a document, and where in it.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in UTF-16 units.</param>
/// <param name="Path">Like <c>steps[2].retry.max_attempts</c>; empty: the document.</param>
/// <param name="Message">The rule, in words that follow the path: <c>must be from 1 to 100</c>.</param>
public sealed record DefinitionFault(int Line, int Column, string Path, string Message);

/// <param name="Definition">Null when there are faults.</param>
/// <param name="Faults">All of them, in the document's order.</param>
public sealed record DefinitionResult(WorkflowDefinition? Definition, IReadOnlyList<DefinitionFault> Faults);
