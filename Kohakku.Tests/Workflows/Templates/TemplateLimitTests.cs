using System.Text.Json;
using CsCheck;
using Kohakku.Workflows.Templates;

namespace Kohakku.Tests.Workflows.Templates;

/// <summary>Nothing that is written into a template takes the process with it.</summary>
public sealed class TemplateLimitTests
{
    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    public static TheoryData<string> Hostile =>
    [
        "{% for i in (1..2000000000) %}x{% endfor %}",
        "{{ inputs.list[(1..2000000000)] }}",
        "{% for i in (1..90000) %}{% for j in (1..90000) %}{% endfor %}{% endfor %}",
        "{% for i in (1..90000) %}{{ inputs.long }}{% endfor %}",
        "{% assign a = 'aaaaaaaa' %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}",
        "{% assign a = inputs.list %}{% for i in (1..60) %}{% assign a = a | concat: a %}{% endfor %}{{ a | size }}",
        "{% capture a %}{% for i in (1..90000) %}{{ inputs.long }}{% endfor %}{% endcapture %}",
        "{{ inputs.long | replace: 'a', inputs.long }}",
        "{{ inputs.long | split: '' | join: inputs.long }}",
        "{{ 'now' | date: '%2000000000n' }}",
        "{% for i in (1..90000) %}{% assign a = inputs.long | upcase %}{% endfor %}",
        "{{ inputs.huge }}",
        $"{{{{ a{Repeat("[a", 50_000)} }}}}",
        $"{{{{ {Repeat("(", 50_000)} }}}}",
        $"{{{{ a{Repeat(" | upcase", 20_000)} }}}}",
        $"{{{{ a{Repeat(" or a", 20_000)} }}}}",
        $"{Repeat("{% if a %}", 20_000)}{Repeat("{% endif %}", 20_000)}",
        $"{Repeat("{%- for a in b -%}", 10_000)}",
        $"{Repeat("{% case a %}{% when 1 %}", 10_000)}",
        $"{{{{ '{Repeat("a", 300_000)}' }}}}",
    ];

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_hostile_template_is_refused(string template)
    {
        var scope = Scopes.Of($$"""{ "list": [{{string.Join(',', Enumerable.Range(0, 1000))}}], "long": "{{Repeat("a", 10_000)}}", "huge": "{{Repeat("a", 2_000_000)}}" }""");
        Assert.Throws<TemplateException>(() => Template.Text(template, scope));
    }

    [Fact]
    public void Nesting_as_people_do_is_fine()
    {
        var template = $"{Repeat("{% if true %}", 30)}x{Repeat("{% endif %}", 30)}{{{{ inputs{Repeat("[inputs", 10)}.a{Repeat("]", 10)} }}}}{Repeat("{% if false %}{% endif %}", 500)}";
        Assert.Equal("x", Template.Text(template, Scopes.Full));
    }

    [Fact]
    public void A_value_may_not_become_deeper_than_64()
    {
        var scope = Scopes.Of($$"""{ "a": {{Repeat("[", 60)}}{{Repeat("]", 60)}} }""");
        Assert.Equal(JsonValueKind.Array, Template.ValueOf("{{ inputs.a }}", scope).ValueKind);
        var tree = JsonElement.Parse($"{Repeat("[", 30)}\"{{{{ inputs.a }}}}\"{Repeat("]", 30)}");
        Assert.Contains("nested deeper than 64", Assert.Throws<TemplateException>(() => Template.Value(tree, scope)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tree_may_not_become_larger_than_1_MiB()
    {
        var scope = Scopes.Of($$"""{ "a": "{{Repeat("a", 500_000)}}" }""");
        var tree = JsonElement.Parse("""["{{ inputs.a }}", "{{ inputs.a }}", "{{ inputs.a }}"]""");
        Assert.Contains("1024 KiB", Assert.Throws<TemplateException>(() => Template.Value(tree, scope)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_it_is_given_it_renders_or_says_why_not()
    {
        string[] pieces = ["{{", "}}", "{%", "%}", "{{-", "-%}", " inputs", ".who", "[", "]", "(", ")", "'", "\"", "|", " json", " size", ":", ",", " if ", " endif ", " for a in ", " endfor ",
            " raw ", " endraw ", " assign a = ", " capture a ", " endcapture ", " comment ", " endcomment ", "1", "..", " == ", " and ", " contains ", "\n", "\\", "x", "😀", "\ud800", " case ", " when ", " cycle "];
        Gen.Int[0, pieces.Length - 1].Array[0, 20].Sample(picks =>
        {
            var template = string.Concat(picks.Select(pick => pieces[pick]));
            try
            {
                Template.Text(template, Scopes.Full);
                Template.ValueOf(template, Scopes.Full);
                TemplateReferences.Of(template);
            }
            catch (TemplateException fault)
            {
                Assert.NotEmpty(fault.Message);
            }
        }, iter: 5000);
    }

    [Fact]
    public void It_may_be_rendered_by_many_at_once() => Parallel.For(0, 2000, i =>
    {
        var scope = Scopes.Of($$"""{ "n": {{i}}, "list": [{{i}}, "b"] }""");
        Assert.Equal($"{i} {i}-b [{i},\"b\"]", Template.Text("{{ inputs.n }} {{ inputs.list | join: '-' }} {{ inputs.list }}", scope));
    });
}
