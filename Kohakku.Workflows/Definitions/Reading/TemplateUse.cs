namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>Where a template stands, which decides what it may look at.</summary>
internal enum TemplateRole
{
    /// <summary><c>concurrency.key</c>: rendered before the run begins.</summary>
    ConcurrencyKey,
    /// <summary><c>outputs</c>: rendered after it has ended.</summary>
    Outputs,
    /// <summary>Rendered once for each item of its step, if it has items.</summary>
    Step,
    /// <summary><c>if</c> and <c>for_each</c>: rendered once for the step, before there are items.</summary>
    StepOnce,
    /// <summary>A judge's brief: once there are candidates.</summary>
    Judge,
}

/// <param name="Step">Its index; null: it is not in a step.</param>
internal sealed record TemplateUse(Node Node, string Path, TemplateRole Role, int? Step);
