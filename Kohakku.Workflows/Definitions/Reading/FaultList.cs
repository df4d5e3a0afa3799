namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>The faults of one document, whatever the order in which they are found.</summary>
internal sealed class FaultList
{
    /// <summary>A document with more is reported as far as this: whoever wrote it has enough to begin with.</summary>
    private const int Max = 200;
    private readonly List<DefinitionFault> _faults = [];

    public bool Any => _faults.Count > 0;

    public IReadOnlyList<DefinitionFault> InOrder => [.. _faults.Distinct().OrderBy(fault => fault.Line).ThenBy(fault => fault.Column).Take(Max)];

    public void Add(Node node, string path, string message) => Add(node.Line, node.Column, path, message);

    public void Add(int line, int column, string path, string message) => _faults.Add(new DefinitionFault(Math.Max(1, line), Math.Max(1, column), path, message));
}
