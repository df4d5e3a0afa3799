namespace Kohakku.Workflows.Templates;

/// <summary>What a template looks at, found in its parsed tree. Names that it makes itself (<c>assign</c>, <c>for</c>, <c>capture</c>) don't count.</summary>
public sealed record TemplateReferences
{
    public static readonly TemplateReferences None = new();

    /// <summary>The ids in <c>steps.id</c> and <c>steps["id"]</c>.</summary>
    public IReadOnlySet<string> Steps { get; init; } = new HashSet<string>();
    /// <summary>It uses <c>steps</c> as a whole, or by a name that only its rendering will tell.</summary>
    public bool AllSteps { get; init; }
    /// <summary>The names in <c>inputs.name</c> and <c>inputs["name"]</c>.</summary>
    public IReadOnlySet<string> Inputs { get; init; } = new HashSet<string>();
    /// <summary>It uses <c>inputs</c> as a whole, or by a name that only its rendering will tell.</summary>
    public bool AllInputs { get; init; }
    public bool UsesRun { get; init; }
    public bool UsesItem { get; init; }
    public bool UsesIndex { get; init; }
    public bool UsesCandidates { get; init; }
    public bool UsesNow { get; init; }
    /// <summary>What no template can see, like <c>input.repo</c> or <c>steps.plan.ouput</c>: it would render as nothing.</summary>
    public IReadOnlyList<string> Unknown { get; init; } = [];

    /// <exception cref="TemplateException">It can't be parsed.</exception>
    public static TemplateReferences Of(string template) => CompiledTemplate.Of(template).OrThrow().References;
}
