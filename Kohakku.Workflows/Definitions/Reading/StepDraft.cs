namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>A step as it was read, with the nodes at which the rules between steps name their faults.</summary>
internal sealed record StepDraft(int Index, Node Node, Fields? Fields, StepDefinition Definition)
{
    public string Path => $"steps[{Index}]";
}
