using System.Text.Json;
using Kohakku.Workflows.Definitions;
using FieldFaults = Kohakku.ServiceDefaults.Faults;

namespace Kohakku.Tests.Workflows.Definitions;

public sealed class WorkflowInputsTests
{
    private static readonly WorkflowDefinition Definition = DefinitionReaderTests.Accepted("""
        name: w
        inputs:
          repo: { type: string, required: true }
          count: { type: integer, default: 3 }
          ratio: number
          deep: boolean
          list: array
          map: object
          any: any
          level: { type: string, enum: [low, high] }
        steps: [{ id: s, wait: 1s }]
        """);

    private static (string Resolved, IDictionary<string, string[]> Faults) Resolve(string? given)
    {
        var faults = new FieldFaults();
        var resolved = WorkflowInputs.Resolve(Definition, given is null ? null : JsonElement.Parse(given), faults);
        return (resolved.GetRawText(), faults.ToDictionary());
    }

    [Fact]
    public void Defaults_are_taken_and_the_rest_left_out() => Assert.Equal("""{"repo":"r","count":3}""", Resolve("""{ "repo": "r" }""").Resolved);

    [Fact]
    public void They_come_in_the_order_of_their_declaration_with_their_values_untouched() => Assert.Equal(
        """{"repo":"r","count":5.0,"ratio":1.50,"deep":false,"list":[1],"map":{"b":1,"a":2},"any":null,"level":"low"}""",
        Resolve("""{ "level": "low", "any": null, "map": { "b": 1, "a": 2 }, "list": [1], "deep": false, "ratio": 1.50, "count": 5.0, "repo": "r" }""").Resolved);

    [Theory]
    [InlineData(null, "inputs.repo", "is required")]
    [InlineData("null", "inputs.repo", "is required")]
    [InlineData("""{ "repo": null }""", "inputs.repo", "is required")]
    [InlineData("[]", "inputs", "must be an object")]
    [InlineData("""{ "repo": "r", "cuont": 5 }""", "inputs.cuont", "is not an input of this workflow; did you mean `count`?")]
    [InlineData("""{ "repo": "r", "repo": "s" }""", "inputs.repo", "is given twice")]
    [InlineData("""{ "repo": 5 }""", "inputs.repo", "must be a string")]
    [InlineData("""{ "repo": "r", "count": 1.5 }""", "inputs.count", "must be an integer")]
    [InlineData("""{ "repo": "r", "count": "1" }""", "inputs.count", "must be an integer")]
    [InlineData("""{ "repo": "r", "deep": "true" }""", "inputs.deep", "must be a boolean")]
    [InlineData("""{ "repo": "r", "list": {} }""", "inputs.list", "must be an array")]
    [InlineData("""{ "repo": "r", "map": [] }""", "inputs.map", "must be an object")]
    [InlineData("""{ "repo": "r", "level": "mid" }""", "inputs.level", "must be one of \"low\", \"high\"")]
    [InlineData("""{ "repo": "\u0000" }""", "inputs.repo", "must not contain the character U+0000")]
    [InlineData("""{ "repo": "\ud800" }""", "inputs.repo", "must not contain half a surrogate pair")]
    public void What_is_wrong_is_named_by_its_field(string? given, string field, string rule) => Assert.Contains(rule, Resolve(given).Faults[field]);

    [Fact]
    public void Every_fault_is_named() => Assert.Equal(
        ["inputs.other", "inputs.repo", "inputs.count"], Resolve("""{ "other": 1, "count": "x" }""").Faults.Keys);

    [Fact]
    public void An_input_that_is_null_counts_as_not_given() => Assert.Equal("""{"repo":"r","count":3}""", Resolve("""{ "repo": "r", "count": null, "deep": null }""").Resolved);
}
