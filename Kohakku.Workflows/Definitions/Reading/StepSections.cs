using Kohakku.Workflows.Definitions.Rules;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary><c>steps</c>.</summary>
internal static class StepSections
{
    private const int MaxSteps = 200;

    public static IReadOnlyList<StepDraft> Read(Fields document, DocumentReading reading)
    {
        if (document.Find("steps") is not { } node)
        {
            reading.Faults.Add(document.Node, "steps", "is required");
            return [];
        }

        if (node.Kind != NodeKind.Sequence)
        {
            reading.Faults.Add(node, "steps", $"must be a list, but is {node.Description}");
            return [];
        }

        if (node.Items.Count is 0 or > MaxSteps) reading.Faults.Add(node, "steps", $"must be from 1 to {MaxSteps}");
        var steps = new List<StepDraft>();
        foreach (var item in node.Items.Take(MaxSteps))
        {
            reading.Step = steps.Count;
            steps.Add(Step(item, steps.Count, reading));
        }

        reading.Step = null;
        return steps;
    }

    private static StepDraft Step(Node node, int index, DocumentReading reading)
    {
        if (Fields.Of(node, $"steps[{index}]", Keys.Step, reading) is not { } fields)
            return new StepDraft(index, node, null, new StepDefinition { Id = "", Kind = StepKind.Signal });
        var kind = Kind(fields, reading.Faults);
        var step = new StepDefinition
        {
            Id = Id(fields, reading.Faults),
            Kind = kind ?? StepKind.Signal,
            Needs = [.. fields.Texts("needs").Select(need => need.Text)],
            If = Condition(fields, reading),
            ForEach = ForEach(fields, reading),
            MaxParallel = fields.Integer("max_parallel", 1, 1_000),
            MaxAttempts = MaxAttempts(fields, reading),
            Timeout = fields.Duration("timeout"),
            ContinueOnError = fields.Boolean("continue_on_error"),
            Agent = kind == StepKind.Agent ? AgentSections.Agent(fields, reading) : null,
            BestOf = kind == StepKind.Agent ? AgentSections.BestOf(fields, reading) : null,
            Approval = kind == StepKind.Approval ? KindSections.Approval(fields, reading) : null,
            Wait = kind == StepKind.Wait ? KindSections.Wait(fields, reading) : null,
            Workflow = kind == StepKind.Workflow ? KindSections.Workflow(fields, reading) : null,
            Webhook = kind == StepKind.Webhook ? KindSections.Webhook(fields, reading) : null,
            Signal = kind == StepKind.Signal ? KindSections.Signal(fields, reading) : null,
        };
        Check(fields, kind, reading.Faults);
        return new StepDraft(index, node, fields, step);
    }

    private static string Id(Fields fields, FaultList faults)
    {
        var id = fields.Text("id", required: true);
        if (id is not null && !Names.IsStep(id)) faults.Add(fields.Find("id")!, fields.At("id"), Names.StepRule);
        return id ?? "";
    }

    /// <summary>Null, with the fault named, when there is none; of several the first.</summary>
    private static StepKind? Kind(Fields fields, FaultList faults)
    {
        var kinds = fields.Node.Entries.Where(entry => Keys.Kinds.Contains(entry.Key.Text)).DistinctBy(entry => entry.Key.Text).ToArray();
        if (kinds is []) faults.Add(fields.Node, fields.Path, $"must say what it does by one of {string.Join(", ", Keys.Kinds)}");
        foreach (var second in kinds.Skip(1)) faults.Add(second.Key, fields.At(second.Key.Text), $"stands beside `{kinds[0].Key.Text}`; a step does one thing");
        return kinds is [] ? null : KindOf(kinds[0].Key.Text);
    }

    private static StepKind KindOf(string key) => key switch
    {
        "agent" => StepKind.Agent,
        "approval" => StepKind.Approval,
        "wait" or "until" => StepKind.Wait,
        "workflow" => StepKind.Workflow,
        "webhook" => StepKind.Webhook,
        _ => StepKind.Signal,
    };

    private static string? Condition(Fields fields, DocumentReading reading) => Alone(fields, "if", Templates.Template.CheckCondition, reading);

    private static string? ForEach(Fields fields, DocumentReading reading) => Alone(fields, "for_each", Templates.Template.CheckExpression, reading);

    private static string? Alone(Fields fields, string key, Func<string, string?> check, DocumentReading reading)
    {
        if (fields.Text(key) is not { } text) return null;
        var node = fields.Find(key)!;
        reading.Template(node, fields.At(key), TemplateRole.StepOnce);
        // A template that can't be parsed has its fault already, placed within it.
        if (Templates.Template.Check(text.Trim()) is null && check(text) is { } fault) reading.Faults.Add(node, fields.At(key), fault);
        return text.Trim();
    }

    private static int MaxAttempts(Fields fields, DocumentReading reading) =>
        fields.Find("retry") is { } node && Fields.Of(node, fields.At("retry"), Keys.Retry, reading) is { } retry
            ? retry.Integer("max_attempts", 1, 100) ?? 1
            : 1;

    private static void Check(Fields fields, StepKind? kind, FaultList faults)
    {
        if (kind is null) return;
        if (kind != StepKind.Agent) Only(fields, Keys.Agent, "agent", faults);
        if (kind != StepKind.Workflow) Only(fields, Keys.Workflow, "workflow", faults);
        if (kind == StepKind.Approval && fields.FindKey("for_each") is { } forEach) faults.Add(forEach, fields.At("for_each"), "does not go with `approval`: one person decides once");
        if (fields.FindKey("max_parallel") is { } parallel && !fields.Has("for_each")) faults.Add(parallel, fields.At("max_parallel"), "goes with `for_each` only");
    }

    private static void Only(Fields fields, IReadOnlyList<string> keys, string kind, FaultList faults)
    {
        foreach (var key in keys.Where(fields.Has)) faults.Add(fields.FindKey(key)!, fields.At(key), $"goes with `{kind}` only");
    }
}
