using Kohakku.Workflows.Templates;

namespace Kohakku.Tests.Workflows.Templates;

public sealed class TemplateReferencesTests
{
    private static string Of(string template)
    {
        var found = TemplateReferences.Of(template);
        string?[] parts =
        [
            .. found.Steps.Order().Select(step => $"steps.{step}"), found.AllSteps ? "steps" : null,
            .. found.Inputs.Order().Select(input => $"inputs.{input}"), found.AllInputs ? "inputs" : null,
            found.UsesRun ? "run" : null, found.UsesItem ? "item" : null, found.UsesIndex ? "index" : null, found.UsesCandidates ? "candidates" : null, found.UsesNow ? "now" : null,
            .. found.Unknown.Select(name => $"?{name}"),
        ];
        return string.Join(' ', parts.Where(part => part is not null));
    }

    [Theory]
    [InlineData("nothing", "")]
    [InlineData("{{ steps.a.output }} {{ steps['b-c'].status }}", "steps.a steps.b-c")]
    [InlineData("{{ steps.a.output[steps.b.output] }}", "steps.a steps.b")]
    [InlineData("{{ steps }}", "steps")]
    [InlineData("{{ steps | json }}", "steps")]
    [InlineData("{{ steps[inputs.x] }}", "steps inputs.x")]
    [InlineData("{% for s in steps %}{{ s }}{% endfor %}", "steps")]
    [InlineData("{{ inputs.a | append: inputs.b }}", "inputs.a inputs.b")]
    [InlineData("{{ inputs | json }}", "inputs")]
    [InlineData("{% if steps.a.output == inputs.b and run.id %}{% elsif item %}{{ index }}{% else %}{{ candidates }}{% endif %}", "steps.a inputs.b run item index candidates")]
    [InlineData("{% unless steps.a.failed > 0 %}{{ steps.b.output }}{% else %}{{ steps.c.output }}{% endunless %}", "steps.a steps.b steps.c")]
    [InlineData("{% case inputs.a %}{% when steps.b.output %}{{ inputs.c }}{% else %}{{ inputs.d }}{% endcase %}", "steps.b inputs.a inputs.c inputs.d")]
    [InlineData("{% assign x = steps.a.output %}{{ x.y }}", "steps.a")]
    [InlineData("{% capture x %}{{ steps.a.output }}{% endcapture %}{{ x }}", "steps.a")]
    [InlineData("{% for item in steps.a.output limit: inputs.n %}{{ item.b }}{{ forloop.index }}{% endfor %}", "steps.a inputs.n")]
    [InlineData("{% for x in (1..inputs.n) %}{{ x }}{% endfor %}{{ x }}", "inputs.n ?x")]
    [InlineData("{{ x }}{% assign x = 1 %}{{ x }}", "?x")]
    [InlineData("{% for item in item %}{% endfor %}", "item")]
    [InlineData("{% cycle inputs.a, inputs.b %}{% increment n %}{{ n }}", "inputs.a inputs.b")]
    [InlineData("{% echo inputs.a %}", "inputs.a")]
    [InlineData("{{ now }}", "now")]
    [InlineData("{{ 'now' | date: '%Y' }}", "now")]
    [InlineData("{{ true }}{{ nil }}{{ blank }}{{ empty }}{{ 1.5 }}{{ 'steps.a' }}", "")]
    [InlineData("{% comment %}{{ steps.a }}{% endcomment %}{% raw %}{{ steps.b }}{% endraw %}", "")]
    [InlineData("{{ steps.a.outptu }} {{ run.started }} {{ Steps.a }}", "steps.a run ?steps.a.outptu ?run.started ?Steps")]
    public void They_are_found_in_the_tree(string template, string references) => Assert.Equal(references, Of(template));
}
