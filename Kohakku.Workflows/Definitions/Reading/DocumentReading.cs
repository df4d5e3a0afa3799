using Kohakku.Workflows.Templates;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>One document on its way from nodes to a definition: the faults found so far, and the templates, whose references are looked at in the end.</summary>
internal sealed class DocumentReading(FaultList faults)
{
    private readonly List<TemplateUse> _templates = [];

    public FaultList Faults => faults;

    public IReadOnlyList<TemplateUse> Templates => _templates;

    /// <summary>The index of the step that is being read; null: none is.</summary>
    public int? Step { get; set; }

    public void Template(Node node, string path, TemplateRole role)
    {
        if (!CompiledTemplate.IsTemplate(node.Text)) return;
        if (CompiledTemplate.Of(Trimmed(node, role)).Fault is { } fault)
        {
            var (line, column) = Place(node, fault.Line, fault.Column);
            faults.Add(line, column, path, fault.Message);
        }
        else _templates.Add(new TemplateUse(node, path, role, Step));
    }

    /// <summary>At a name inside a template, as near as it can be told.</summary>
    /// <param name="name">As the template's tree has it: <c>steps.plan</c>, also where it is written <c>steps["plan"]</c>.</param>
    public void AddAt(Node node, string name, string path, string message)
    {
        var at = Math.Max(0, IndexOf(node.Text, name));
        var before = node.Text.AsSpan(0, at);
        var (line, column) = Place(node, before.Count('\n') + 1, at - before.LastIndexOf('\n'));
        faults.Add(line, column, path, message);
    }

    /// <summary>What stands alone may have line ends around it: YAML's blocks end with one.</summary>
    public static string Trimmed(Node node, TemplateRole role) => role == TemplateRole.StepOnce ? node.Text.Trim() : node.Text;

    private static int IndexOf(string text, string name)
    {
        var at = text.IndexOf(name, StringComparison.Ordinal);
        return at < 0 && name.Split('.') is [var root, var member, ..] ? text.IndexOf($"{root}[{text.FirstOrDefault(c => c is '\'' or '"')}{member}", StringComparison.Ordinal) : at;
    }

    private static (int Line, int Column) Place(Node node, int line, int column) => node.Origin is { } origin && (origin.IsBlock || line == 1)
        ? (origin.Line + line - 1, origin.Column + column - 1)
        : (node.Line, node.Column);
}
