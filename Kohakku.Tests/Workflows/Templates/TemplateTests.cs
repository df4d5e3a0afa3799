using System.Text.Json;
using Kohakku.Workflows.Templates;

namespace Kohakku.Tests.Workflows.Templates;

public sealed class TemplateTests
{
    [Theory]
    [InlineData("Hello {{ inputs.who }}!", "Hello Ada!")]
    [InlineData("no template", "no template")]
    [InlineData("{ not one } %}", "{ not one } %}")]
    [InlineData("{{ inputs.nothing }}{{ inputs.missing.more }}{{ missing }}", "")]
    [InlineData("{{ inputs.count }} {{ inputs.ratio }} {{ inputs.big }} {{ inputs.huge }} {{ inputs.tiny }} {{ inputs.exact }}",
        "3 1.5 9007199254740993 1e300 1e-30 0.1234567890123456789012345678")]
    [InlineData("{{ inputs.yes }} {{ inputs.no }}", "true false")]
    [InlineData("{{ inputs.list }}", """[1,"1",{"b":1,"a":[2]}]""")]
    [InlineData("{{ inputs.map }}", """{"z":1,"a":"ä","size":7}""")]
    [InlineData("{{ inputs.map.size }} {{ inputs.list.size }} {{ inputs.list | size }} {{ inputs.who.size }}", "7 3 3 3")]
    [InlineData("{{ inputs.list[2].a[0] }} {{ inputs['who'] }} {{ inputs.list.first }} {{ inputs.list.last.b }}", "2 Ada 1 1")]
    [InlineData("{{ inputs.who | json }} {{ inputs.nothing | json }} {{ inputs.map | json }}", "\"Ada\" null {\"z\":1,\"a\":\"ä\",\"size\":7}")]
    [InlineData("{{ inputs.people | map: 'name' | uniq | sort | join: '+' }}", "A+B")]
    [InlineData("{{ inputs.people | uniq | size }} {{ inputs.people | sum: 'age' }} {{ inputs.people | where: 'name', 'A' | size }}", "2 4 2")]
    [InlineData("{{ inputs.people | sort: 'age' | map: 'name' | first }}", "A")]
    [InlineData("{% for person in inputs.people %}{{ forloop.index }}{{ person.name }}{% endfor %}", "1B2A3A")]
    [InlineData("{% for pair in inputs.map %}{{ pair[0] }}={{ pair[1] }};{% endfor %}", "z=1;a=ä;size=7;")]
    [InlineData("{% for i in (1..3) %}{{ i }}{% endfor %}", "123")]
    [InlineData("{% if inputs.map contains 'z' %}z{% endif %}{% if inputs.none == empty %}e{% endif %}", "ze")]
    [InlineData("{% capture x %}{{ inputs.who }}?{% endcapture %}{% assign y = x | upcase %}{{ y }}", "ADA?")]
    [InlineData("{{ inputs.count > 2 }} {{ inputs.count == 4 }}", "true false")]
    [InlineData("{{ steps.plan.status }} {{ steps.plan.output.parts[1].title }}", "succeeded two")]
    [InlineData("{{ steps.implement.outputs }} {{ steps.implement.output | size }} {{ steps.implement.succeeded }}/{{ steps.implement.failed }}", """[1,null,"x"] 3 2/1""")]
    [InlineData("{{ steps.skipped.output }}{{ steps.skipped.status }}", "skipped")]
    [InlineData("{{ steps.skipped }}", """{"status":"skipped","output":null,"outputs":null,"succeeded":0,"failed":0}""")]
    [InlineData("{{ run.id }} {{ run.status }} {{ run.workflow }} {{ run.version }} {{ run.started_at }}{{ run.failure.message }}",
        "0190b0f0-0000-7000-8000-000000000000 running fix-issue 3 2026-01-02T02:04:05.000Z")]
    [InlineData("{{ run.started_at | date: '%Y-%m-%d %H:%M' }}", "2026-01-02 02:04")]
    [InlineData("{{ item.title }} {{ index }} {{ candidates }}", "t 2 [{},null]")]
    [InlineData("{{ \"<a> & 'b'\" }}", "<a> & 'b'")]
    [InlineData("{{ Inputs.who }}{{ inputs.Who }}", "")]
    [InlineData("{{ 10 | divided_by: 4.0 }} {{ 1.5 | times: 2 }}", "2.5 3.0")]
    [InlineData("a {%- if true -%} b {%- endif -%} c", "abc")]
    [InlineData("{% raw %}{{ x }}{% endraw %}", "{{ x }}")]
    public void It_is_rendered_as_text(string template, string text) => Assert.Equal(text, Template.Text(template, Scopes.Full));

    [Fact]
    public void The_time_may_be_read_and_is_utc()
    {
        var now = DateTimeOffset.Parse(Template.Text("{{ now }}", Scopes.Full), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(TimeSpan.Zero, now.Offset);
        Assert.InRange(TimeProvider.System.GetUtcNow() - now, TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
        Assert.Equal(now.Year.ToString(System.Globalization.CultureInfo.InvariantCulture), Template.Text("{{ 'now' | date: '%Y' }}", Scopes.Full));
    }

    [Theory]
    [InlineData("{{ inputs.count }}", "3")]
    [InlineData("{{ inputs.ratio }}", "1.50")]
    [InlineData("{{ inputs.big }}", "9007199254740993")]
    [InlineData("{{ inputs.huge }}", "1e300")]
    [InlineData("{{ inputs.tiny }}", "1e-30")]
    [InlineData("{{ inputs.five }}", "\"5\"")]
    [InlineData("{{ inputs.yes }}", "true")]
    [InlineData("{{ inputs.nothing }}", "null")]
    [InlineData("{{ inputs.missing }}", "null")]
    [InlineData("{{ inputs.empty }}", "\"\"")]
    [InlineData("{{inputs.list}}", """[1,"1",{"b":1,"a":[2]}]""")]
    [InlineData("{{- inputs.map -}}", """{"z":1,"a":"ä","size":7}""")]
    [InlineData("{{ inputs.people | map: 'age' }}", "[2,1,1]")]
    [InlineData("{{ inputs.list | size }}", "3")]
    [InlineData("{{ inputs.count > 2 }}", "true")]
    [InlineData("{{ inputs.nothing == null }}", "true")]
    [InlineData("{{ inputs }}", null)]
    [InlineData("{{ steps.implement.outputs }}", """[1,null,"x"]""")]
    [InlineData("{{ inputs.count }} ", "\"3 \"")]
    [InlineData("{{ inputs.count }}{{ inputs.count }}", "\"33\"")]
    [InlineData("{% if true %}5{% endif %}", "\"5\"")]
    [InlineData("5", "\"5\"")]
    [InlineData("", "\"\"")]
    public void One_expression_takes_its_value_and_type_and_all_else_is_text(string template, string? json)
    {
        var value = Template.ValueOf(template, Scopes.Full);
        Assert.Equal(json ?? JsonSerializer.Serialize(Scopes.Full.Inputs, Relaxed), value.GetRawText());
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public void A_tree_is_rendered_all_the_way_down()
    {
        var tree = JsonElement.Parse("""{ "z": "{{ inputs.count }}", "{{ key }}": ["{{ inputs.map }}", 1.50, "5", null, { "t": "n{{ inputs.count }}" }], "a": true }""");
        Assert.Equal(
            """{"z":3,"{{ key }}":[{"z":1,"a":"ä","size":7},1.50,"5",null,{"t":"n3"}],"a":true}""", Template.Value(tree, Scopes.Full).GetRawText());
    }

    [Theory]
    [InlineData("{{ inputs.count > 2 }}", true)]
    [InlineData("{{ inputs.count > 3 }}", false)]
    [InlineData("{{ inputs.yes }}", true)]
    [InlineData("{{ inputs.no }}", false)]
    [InlineData("{{ inputs.nothing }}", false)]
    [InlineData("{{ inputs.missing }}", false)]
    [InlineData("{{ inputs.empty }}", true)]
    [InlineData("{{ inputs.who == 'Ada' and inputs.list.size >= 3 }}", true)]
    [InlineData("{{ inputs.no or inputs.map contains 'a' }}", true)]
    [InlineData("{{ steps.implement.succeeded > 0 }}", true)]
    [InlineData("{{ steps.implement.failed == 0 }}", false)]
    [InlineData("{{ steps.skipped.status != 'skipped' }}", false)]
    [InlineData("{{ steps.skipped.output == null }}", true)]
    [InlineData("  {{ inputs.yes }}\n", true)]
    public void A_condition_decides_as_liquid_does(string template, bool answer)
    {
        Assert.Equal(answer, Template.Test(template, Scopes.Full));
        Assert.Equal(answer ? "y" : "n", Template.Text($"{{% if {template.Trim()[2..^2]} %}}y{{% else %}}n{{% endif %}}", Scopes.Full));
    }

    [Theory]
    [InlineData("true")]
    [InlineData("{{ inputs.yes }}{{ inputs.yes }}")]
    [InlineData("x{{ inputs.yes }}")]
    [InlineData("{{ inputs.list | size }}")]
    [InlineData("{{ }}")]
    public void What_is_no_condition_is_refused(string template)
    {
        Assert.NotNull(Template.CheckCondition(template));
        Assert.Throws<TemplateException>(() => Template.Test(template, Scopes.Full));
    }

    [Theory]
    [InlineData("{{")]
    [InlineData("{{ a")]
    [InlineData("{{ a | }}")]
    [InlineData("{{ a | shout }}")]
    [InlineData("{% if a %}")]
    [InlineData("{% endif %}")]
    [InlineData("{% unknown %}")]
    [InlineData("{% include 'a' %}")]
    [InlineData("{% render 'a' %}")]
    [InlineData("{% from 'a' import b %}")]
    [InlineData("{% macro a() %}{% endmacro %}")]
    [InlineData("{% liquid\nassign a = 1\n%}")]
    [InlineData("{{ (a) }}")]
    [InlineData("{{ a() }}")]
    [InlineData("{{ 'a }}")]
    public void What_can_not_be_parsed_is_told(string template)
    {
        Assert.NotNull(Template.Check(template));
        Assert.StartsWith("`", Assert.Throws<TemplateException>(() => Template.Text(template, Scopes.Full)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ 1 | divided_by: 0 }}")]
    [InlineData("{{ inputs.big | times: 79228162514264337593543950335 }}")]
    [InlineData("{{ inputs.people | sort: 'missing' | map: 'age' | concat: inputs.list | sort: 'b' }}")]
    public void What_can_not_be_rendered_names_its_template(string template)
    {
        try
        {
            Template.Text(template, Scopes.Full);
        }
        catch (TemplateException fault)
        {
            Assert.StartsWith($"`{template[..Math.Min(40, template.Length)]}", fault.Message, StringComparison.Ordinal);
        }
    }
}
