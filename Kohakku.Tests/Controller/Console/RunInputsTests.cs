using System.Text.Json;
using Kohakku.Controller.Console.Workflows;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Tests.Controller.Console;

public sealed class RunInputsTests
{
    private static readonly WorkflowDefinition Definition = DefinitionReader.Read(
        """
        name: w
        inputs:
          text: { type: string, default: "12" }
          count: { type: integer, default: 3 }
          flag: boolean
          parts: { type: array, default: [a] }
          size: { type: integer, enum: [1, 2] }
        steps: [{ id: a, wait: 1s }]
        """).Definition!;

    [Fact]
    public void What_nobody_touched_is_the_default_in_its_own_type()
    {
        var given = Read(new RunInputs(), out var faults);
        Assert.Empty(faults);
        Assert.Equal("""{"text":"12","count":3,"parts":["a"]}""", JsonSerializer.Serialize(given));
    }

    [Fact]
    public void Text_becomes_the_value_that_its_input_takes_and_an_empty_field_is_not_given()
    {
        var inputs = new RunInputs();
        inputs.Write("text", "true");
        inputs.Write("count", " ");
        inputs.Write("flag", "true");
        inputs.Write("parts", """[{ "n": 1 }]""");
        inputs.Write("size", "2");
        Assert.Equal("""{"text":"true","flag":true,"parts":[{"n":1}],"size":2}""", JsonSerializer.Serialize(Read(inputs, out _)));
    }

    [Fact]
    public void What_is_no_value_is_said_at_its_input()
    {
        var inputs = new RunInputs();
        inputs.Write("count", "many");
        inputs.Write("parts", "[1,");
        Read(inputs, out var faults);
        Assert.Equal(["must be an integer"], faults["inputs.count"]);
        Assert.StartsWith("is not valid JSON at line 1", Assert.Single(faults["inputs.parts"]));
    }

    private static JsonElement Read(RunInputs inputs, out IDictionary<string, string[]> faults)
    {
        var found = new global::Kohakku.ServiceDefaults.Faults();
        var given = inputs.Read(Definition, found);
        faults = found.ToDictionary();
        return given;
    }
}
