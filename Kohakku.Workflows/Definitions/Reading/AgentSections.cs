using Kohakku.Workflows.Definitions.Rules;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>A step for an agent, and the judge of several.</summary>
internal static class AgentSections
{
    public static AgentStep Agent(Fields fields, DocumentReading reading)
    {
        var agent = new AgentStep
        {
            Agent = Name(fields, reading),
            Brief = fields.Template("brief", TemplateRole.Step, required: true) ?? "",
            Title = fields.Template("title", TemplateRole.Step),
            Skills = [.. fields.Texts("skills").Select(skill => skill.Text)],
            Inputs = JsonTree.Object(fields, "inputs", reading, TemplateRole.Step),
            Env = Ordered(fields.Pairs("env")),
            Labels = Ordered(fields.Pairs("labels")),
            Tags = [.. fields.Texts("tags").Select(tag => tag.Text)],
            Priority = fields.Integer("priority", -100, 100) ?? 0,
            Output = JsonTree.Object(fields, "output", reading),
            Resources = TaskRules.Resources(fields, reading),
            Network = TaskRules.Network(fields, reading),
        };
        foreach (var (_, _, entry, path) in fields.Pairs("env")) reading.Template(entry.Value, path, TemplateRole.Step);
        TaskRules.Check(fields, reading);
        if (agent.Output is { } schema && OutputSchema.Fault(schema) is { } fault) reading.Faults.Add(fields.Find("output")!, fields.At("output"), fault);
        return agent;
    }

    public static BestOf? BestOf(Fields fields, DocumentReading reading)
    {
        if (fields.Find("best_of") is not { } node || Fields.Of(node, fields.At("best_of"), Keys.BestOf, reading) is not { } best) return null;
        foreach (var key in Keys.BestOf.Where(key => !best.Has(key))) reading.Faults.Add(best.Node, best.At(key), "is required");
        var judge = best.Find("judge") is { } judgeNode ? Fields.Of(judgeNode, best.At("judge"), Keys.Judge, reading) : null;
        return new BestOf
        {
            Count = best.Integer("count", 2, 20) ?? 2,
            Judge = new JudgeStep
            {
                Agent = judge is null ? "" : Name(judge, reading),
                Brief = judge?.Template("brief", TemplateRole.Judge, required: true) ?? "",
            },
        };
    }

    private static string Name(Fields fields, DocumentReading reading)
    {
        if (fields.Template("agent", TemplateRole.Step, required: true) is not { } name) return "";
        if (!Templates.CompiledTemplate.IsTemplate(name) && !Names.IsAgent(name)) reading.Faults.Add(fields.Find("agent")!, fields.At("agent"), Names.AgentRule);
        return name;
    }

    private static OrderedDictionary<string, string> Ordered(IEnumerable<(string Name, string Text, Entry Entry, string Path)> pairs)
    {
        var ordered = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, text, _, _) in pairs) ordered.TryAdd(name, text);
        return ordered;
    }
}
