using Kohakku.Workflows.Definitions;

namespace Kohakku.Tests.Workflows.Definitions;

public sealed class DefinitionReaderTests
{
    internal static WorkflowDefinition Accepted(string document)
    {
        var result = DefinitionReader.Read(document);
        Assert.Empty(result.Faults);
        return result.Definition!;
    }

    private static StepDefinition Step(string keys) => Accepted($"name: w\nsteps:\n  - {{ id: s, {keys} }}\n").Steps[0];

    [Theory]
    [MemberData(nameof(Samples.All), MemberType = typeof(Samples))]
    public void A_right_document_is_accepted(string document) => Accepted(document);

    [Fact]
    public void The_example_is_read_as_it_is_meant()
    {
        var definition = Accepted(Samples.FixIssue);
        Assert.Equal("fix-issue", definition.Name);
        Assert.Equal(["repo", "issue"], definition.Inputs.Keys);
        Assert.True(definition.Inputs["repo"].Required);
        Assert.Equal(TimeSpan.FromDays(1), definition.Timeout);
        Assert.Equal("notify", definition.OnFailure);
        Assert.Equal(["plan", "gate", "implement", "cool_down", "review", "publish", "notify"], definition.Steps.Select(step => step.Id));
        Assert.Equal(
            [StepKind.Agent, StepKind.Approval, StepKind.Agent, StepKind.Wait, StepKind.Agent, StepKind.Workflow, StepKind.Webhook],
            definition.Steps.Select(step => step.Kind));
        Assert.EndsWith("{\"parts\": [...]}.\n", definition.Steps[0].Agent!.Brief, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromDays(2), definition.Steps[1].Approval!.Timeout);
        Assert.Equal("{{ steps.plan.output.parts }}", definition.Steps[2].ForEach);
        Assert.Equal((4, 2, true), (definition.Steps[2].MaxParallel, definition.Steps[2].MaxAttempts, definition.Steps[2].ContinueOnError));
        Assert.Equal("30s", definition.Steps[3].Wait!.For);
        Assert.Equal(3, definition.Steps[4].BestOf!.Count);
        Assert.Equal("publish-report", definition.Steps[5].Workflow!.Name);
        Assert.Equal("POST", definition.Steps[6].Webhook!.Method);
    }

    [Fact]
    public void What_is_left_to_others_keeps_its_types_and_its_order()
    {
        var inputs = Accepted(Samples.Everything).Steps[0].Agent!.Inputs!.Value;
        Assert.Equal("""{"number":5,"text":"5","truth":true,"nothing":null,"who":"{{ inputs.who }}","list":[1.50,-3,1e3]}""", inputs.GetRawText());
    }

    [Theory]
    [InlineData("a: 0x1F", "31")]
    [InlineData("a: 0o17", "15")]
    [InlineData("a: +007", "7")]
    [InlineData("a: .5", "0.5")]
    [InlineData("a: 5.", "5")]
    [InlineData("a: -0", "-0")]
    [InlineData("a: 123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("a: 1E+300", "1e+300")]
    [InlineData("a: no", "\"no\"")]
    [InlineData("a: 1_000", "\"1_000\"")]
    [InlineData("a: 2026-01-01", "\"2026-01-01\"")]
    [InlineData("a: 1.2.3", "\"1.2.3\"")]
    [InlineData("a: 0x", "\"0x\"")]
    [InlineData("a: '5'", "\"5\"")]
    [InlineData("a: !!str 5", "\"5\"")]
    [InlineData("a: ~", "null")]
    [InlineData("a: ", "null")]
    [InlineData("a: \"\\u00e9\\n\"", "\"é\\n\"")]
    public void Plain_scalars_mean_what_the_core_schema_says(string entry, string json)
    {
        var definition = Accepted($"name: w\nsteps: [{{ id: s, wait: 1s }}]\noutputs:\n  {entry}\n");
        Assert.Equal($$"""{"a":{{json}}}""", definition.Outputs!.Value.GetRawText());
    }

    [Fact]
    public void Text_is_taken_as_it_is_written_also_when_it_looks_like_a_number()
    {
        var agent = Step("agent: 7, brief: 1.50, tags: [1, true], env: { A: 007 }").Agent!;
        Assert.Equal(("7", "1.50", "007"), (agent.Agent, agent.Brief, agent.Env["A"]));
        Assert.Equal(["1", "true"], agent.Tags);
    }

    [Fact]
    public void Json_is_read_like_yaml()
    {
        var inYaml = Accepted(Samples.Everything);
        var inJson = Accepted(DocumentJson.Of(Samples.Everything));
        Assert.Equal(CanonicalForm.Write(inYaml), CanonicalForm.Write(inJson));
    }

    [Fact]
    public void Json_may_have_tabs_escapes_long_keys_and_any_letters()
    {
        var longKey = new string('k', 3000);
        var definition = Accepted("{\n\t\"name\":\"w\",\t\"steps\":[{\"id\":\"s\",\"webhook\":{\"url\":\"https:\\/\\/example.org\",\"body\":{\"" + longKey +
            "\":[1.0,-2e5,\"\\ud83d\\ude00 \\u00e9 \\\"q\\\"\\t😀\"],\"\":{}}}}]\n}");
        Assert.Equal("https://example.org", definition.Steps[0].Webhook!.Url);
        var body = definition.Steps[0].Webhook!.Body!.Value;
        Assert.Equal([longKey, ""], body.EnumerateObject().Select(property => property.Name));
        var list = body.GetProperty(longKey);
        Assert.Equal(("1.0", "-2e5", "😀 é \"q\"\t😀"), (list[0].GetRawText(), list[1].GetRawText(), list[2].GetString()));
    }

    [Fact]
    public void Yaml_in_braces_is_read_too() => Assert.Equal("w", Accepted("{ name: w, steps: [{ id: s, wait: 1s }] } # all in one line").Name);

    [Fact]
    public void A_long_document_is_read()
    {
        var steps = string.Concat(Enumerable.Range(0, 200).Select(i => $"  - {{ id: s{i}, agent: a, brief: \"{new string('x', 1000)}\" }}\n"));
        Assert.Equal(200, Accepted($"name: w\nsteps:\n{steps}").Steps.Count);
    }

    [Fact]
    public void A_byte_order_mark_is_no_fault() => Accepted("\uFEFFname: w\nsteps: [{ id: s, wait: 1s }]");

    [Fact]
    public void A_block_may_end_a_condition_with_its_line_end() =>
        Assert.Equal("{{ inputs.a == 1 }}", Accepted("name: w\ninputs: { a: integer }\nsteps:\n  - id: s\n    wait: 1s\n    if: |\n      {{ inputs.a == 1 }}\n").Steps[0].If);

    [Fact]
    public void A_step_for_failures_may_look_at_every_step() =>
        Accepted("name: w\non_failure: f\nsteps:\n  - { id: s, wait: 1s }\n  - { id: f, agent: a, brief: \"{{ steps | json }} {{ steps.s.status }} {{ run.failure.message }}\" }\n");

    [Fact]
    public void A_loop_of_the_template_may_call_its_variable_item() => Accepted("""
        name: w
        inputs: { list: array }
        steps:
          - { id: s, agent: a, brief: "{% for item in inputs.list %}{{ item }}{{ forloop.index }}{% endfor %}" }
        """);
}
