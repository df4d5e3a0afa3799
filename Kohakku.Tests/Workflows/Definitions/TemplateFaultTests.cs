using Kohakku.Workflows.Definitions;

namespace Kohakku.Tests.Workflows.Definitions;

/// <summary>What the reader has to say of templates.</summary>
public sealed class TemplateFaultTests
{
    private static string[] Faults(string document) =>
        [.. DefinitionReader.Read(document).Faults.Select(fault => $"{fault.Line}:{fault.Column} {fault.Path} {fault.Message}")];

    private static string[] BriefFaults(string brief, string keys = "") => Faults(
        $"name: w\ninputs: {{ repo: string }}\nsteps:\n  - {{ id: a, wait: 1s }}\n  - {{ id: b, wait: 1s }}\n  - {{ id: c, needs: [b], wait: 1s }}\n" +
        $"  - id: s\n    needs: [c]\n    agent: a\n    brief: {brief}\n{keys}");

    [Theory]
    [InlineData("\"{{ inputs.rep }}\"", "10:16 steps[3].brief uses the input `rep`, which is not declared; did you mean `repo`?")]
    [InlineData("\"{{ input.repo }}\"", "10:16 steps[3].brief uses `input`, which there is not; did you mean `inputs`?")]
    [InlineData("\"{{ repo }}\"", "10:16 steps[3].brief uses `repo`, which there is not")]
    [InlineData("\"{{ steps.a.output }}\"", "10:16 steps[3].brief uses the step `a`, which does not precede it; name it in `needs`")]
    [InlineData("\"{{ steps.s.output }}\"", "10:16 steps[3].brief uses the step `s`, which does not precede it; name it in `needs`")]
    [InlineData("\"{{ steps.bb.output }}\"", "10:16 steps[3].brief uses the step `bb`, which there is not")]
    [InlineData("\"{{ steps['a'].output }}\"", "10:16 steps[3].brief uses the step `a`, which does not precede it; name it in `needs`")]
    [InlineData("\"{{ steps.b.ouput }}\"", "10:16 steps[3].brief uses `steps.b.ouput`, which there is not; did you mean `output`?")]
    [InlineData("\"{{ run.startedAt }}\"", "10:16 steps[3].brief uses `run.startedAt`, which there is not; did you mean `started_at`?")]
    [InlineData("\"{{ steps | json }}\"", "10:16 steps[3].brief must name the steps it uses, like `steps.plan`: only those that precede it have ended")]
    [InlineData("\"{{ item }}\"", "10:16 steps[3].brief uses `item`, which only a step with `for_each` has")]
    [InlineData("\"{{ index }}\"", "10:16 steps[3].brief uses `index`, which only a step with `for_each` has")]
    [InlineData("\"{{ candidates }}\"", "10:16 steps[3].brief uses `candidates`, which only the brief of a judge has")]
    [InlineData("\"{{ run.id | shout }}\"", "10:13 steps[3].brief uses the filter `shout`, which there is not")]
    public void A_reference_to_what_there_is_not_is_refused(string brief, string fault) => Assert.Equal([fault], BriefFaults(brief));

    [Theory]
    [InlineData("\"{{ steps.b.output }} {{ steps.c.output.steps.a }} {{ inputs.repo }} {{ run.id }} {{ now | date: '%Y' }}\"")]
    [InlineData("\"{% assign input = inputs.repo %}{{ input | upcase }}{% capture x %}y{% endcapture %}{{ x }}\"")]
    [InlineData("\"{% raw %}{{ nothing.of.this }}{% endraw %} {% comment %}{{ nor.this }}{% endcomment %}\"")]
    public void A_reference_to_what_precedes_is_right(string brief) => Assert.Empty(BriefFaults(brief));

    [Fact]
    public void A_fault_in_a_block_of_text_is_placed_in_its_line() =>
        Assert.Equal("13:10 steps[3].brief uses `input`, which there is not; did you mean `inputs`?", Assert.Single(BriefFaults("|\n      One.\n\n      {{ input.repo }}\n")));

    [Fact]
    public void A_template_that_can_not_be_parsed_is_placed_in_its_line()
    {
        var fault = Assert.Single(BriefFaults("|\n      One.\n      {{ inputs.repo | }}\n"));
        Assert.StartsWith("12:", fault, StringComparison.Ordinal);
        Assert.Contains("steps[3].brief is not a template: ", fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("agent: \"{{ index }}\"\n    brief: \"{{ item.a }}\"")]
    [InlineData("agent: a\n    brief: b\n    if: \"{{ item.a }}\"", "uses `item`, but is asked once for the step, before there are items")]
    public void Items_are_there_once_the_step_has_begun(string keys, params string[] messages) => Assert.Equal(
        messages,
        DefinitionReader.Read($"name: w\ninputs: {{ list: array }}\nsteps:\n  - id: s\n    for_each: \"{{{{ inputs.list }}}}\"\n    {keys}\n").Faults.Select(fault => fault.Message));

    [Fact]
    public void A_template_in_a_tree_is_placed_where_it_stands() => Assert.Equal(
        ["6:26 steps[0].webhook.body.a[1] uses the input `x`, which is not declared"],
        Faults("name: w\nsteps:\n  - id: s\n    webhook:\n      url: https://example.org\n      body: { a: [1, \"{{ inputs.x }}\"] }\n"));

    [Theory]
    [InlineData("(")]
    [InlineData("[")]
    public void Brackets_nested_too_deep_do_not_reach_the_parser(string bracket) => Assert.Contains(
        "brackets", Assert.Single(BriefFaults($"\"{{{{ a{string.Concat(Enumerable.Repeat(bracket, 3000))} }}}}\"")), StringComparison.Ordinal);
}
