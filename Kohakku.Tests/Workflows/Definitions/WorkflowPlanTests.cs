using System.Text.Json;
using Kohakku.Workflows.Definitions;
using FieldFaults = Kohakku.ServiceDefaults.Faults;

namespace Kohakku.Tests.Workflows.Definitions;

public sealed class WorkflowPlanTests
{
    private static PlanView Plan(string document, string inputs)
    {
        var definition = DefinitionReaderTests.Accepted(document);
        var faults = new FieldFaults();
        var resolved = WorkflowInputs.Resolve(definition, JsonElement.Parse(inputs), faults);
        Assert.False(faults.Any);
        return WorkflowPlan.Of(definition, resolved);
    }

    private static PlanView Fan(string inputs, string keys = "") => Plan($$$"""
        name: w
        inputs: { list: any, who: any, go: any }
        steps:
          - id: s
            for_each: "{{ inputs.list }}"
            agent: "{{ inputs.who | default: 'coder' }}"
            brief: "{{ item }} of {{ inputs.list.size }}"
            best_of: { count: 3, judge: { agent: judge, brief: "{{ candidates }}" } }
            {{{keys}}}
        """, inputs);

    [Fact]
    public void The_example_is_planned_in_layers()
    {
        var plan = Plan(Samples.FixIssue, """{ "repo": "r", "issue": "#1" }""");
        Assert.Equal([["plan"], ["gate"], ["implement"], ["cool_down"], ["review"], ["publish"]], plan.Layers.Select(layer => layer.Select(step => step.Id)));
        Assert.Equal("notify", plan.OnFailure!.Id);
        Assert.Equal(("r", true), (plan.ConcurrencyKey!.Value.GetString(), plan.ConcurrencyKey.Rendered));
        var brief = plan.Layers[0][0].Values.Single(value => value.Key == "brief");
        Assert.StartsWith("Plan a fix for #1 in r.", brief.Value.GetString(), StringComparison.Ordinal);
        var items = plan.Layers[2][0];
        Assert.Equal((true, null, null), (items.IsFanOut, items.Items, items.MaxTasks));
        Assert.Contains(items.Values, value => value is { Key: "for_each", Rendered: false } && value.Value.GetString() == "{{ steps.plan.output.parts }}");
        Assert.Equal((10_000 + 1 + 4, true), (plan.MaxTasks, plan.MaxTasksIsBound));
        Assert.Empty(plan.Faults);
    }

    [Fact]
    public void A_fan_out_over_an_input_is_counted()
    {
        var plan = Fan("""{ "list": [1, 2, 3] }""");
        var step = Assert.Single(Assert.Single(plan.Layers));
        Assert.Equal((3, 12L), (step.Items, step.MaxTasks));
        Assert.Equal((12, false), (plan.MaxTasks, plan.MaxTasksIsBound));
        Assert.False(step.Values.Single(value => value.Key == "brief").Rendered);
    }

    [Theory]
    [InlineData("""{ "list": "abc" }""", "for_each", "must be an array, but is string")]
    [InlineData("""{}""", "for_each", "must be an array, but is null")]
    [InlineData("""{ "list": [], "who": "Not A Name" }""", "agent", "must be 1 to 63 of a-z, 0-9 and hyphens, beginning with a letter or digit")]
    public void What_the_inputs_make_impossible_is_named_by_step_and_key(string inputs, string key, string message) =>
        Assert.Contains(new PlanFault("s", key, message), Fan(inputs).Faults);

    [Fact]
    public void A_fault_in_rendering_is_named_too()
    {
        var fault = Assert.Single(Fan("""{ "list": [], "who": 0 }""", "title: \"{{ 1 | divided_by: inputs.who }}\"").Faults, fault => fault.Key == "title");
        Assert.StartsWith("`{{ 1 | divided_by: inputs.who }}` can't be rendered", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_that_these_inputs_skip_makes_no_tasks()
    {
        var plan = Fan("""{ "list": [1], "go": false }""", "if: \"{{ inputs.go }}\"");
        Assert.Equal(0, plan.MaxTasks);
        Assert.Contains(plan.Layers[0][0].Values, value => value is { Key: "if", Rendered: true, Value.ValueKind: JsonValueKind.False });
    }

    [Fact]
    public void More_items_than_a_run_may_have_are_a_fault() =>
        Assert.Contains(Fan($$"""{ "list": [{{string.Join(',', Enumerable.Repeat("1", 10_001))}}] }""").Faults, fault => fault is { Step: "s", Key: "for_each" });

    [Fact]
    public void It_is_written_as_camel_case()
    {
        var json = JsonSerializer.SerializeToElement(Plan(Samples.Everything, """{ "who": "w" }"""), DefinitionJson.Default.PlanView);
        Assert.Equal("everything", json.GetProperty("workflow").GetString());
        var first = json.GetProperty("layers")[0][0];
        Assert.Equal("agent", first.GetProperty("kind").GetString());
        Assert.True(first.GetProperty("values")[0].GetProperty("rendered").GetBoolean());
    }
}
