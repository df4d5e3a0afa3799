using System.Text.Json;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Definitions.Reading;
using NJsonSchema;

namespace Kohakku.Tests.Workflows.Definitions;

public sealed class WorkflowSchemaTests
{
    private static readonly JsonElement Json = JsonElement.Parse(WorkflowSchema.Json);

    [Theory]
    [MemberData(nameof(Samples.All), MemberType = typeof(Samples))]
    public async Task It_takes_what_the_reader_takes(string document)
    {
        var schema = await JsonSchema.FromJsonAsync(WorkflowSchema.Json, TestContext.Current.CancellationToken);
        Assert.Empty(schema.Validate(DocumentJson.Of(document)));
    }

    [Theory]
    [InlineData("""{ "name": "w", "steps": [] }""")]
    [InlineData("""{ "name": "w", "steps": [{ "id": "s" }] }""")]
    [InlineData("""{ "name": "w", "steps": [{ "id": "s", "wait": "1s", "until": "x" }] }""")]
    [InlineData("""{ "name": "w", "steps": [{ "id": "s", "wait": "1s", "forEach": "{{ inputs.x }}" }] }""")]
    [InlineData("""{ "name": "W", "steps": [{ "id": "s", "wait": "1s" }] }""")]
    [InlineData("""{ "name": "w", "timeout": "1 day", "steps": [{ "id": "s", "wait": "1s" }] }""")]
    public async Task It_refuses_what_the_reader_refuses(string document)
    {
        var schema = await JsonSchema.FromJsonAsync(WorkflowSchema.Json, TestContext.Current.CancellationToken);
        Assert.NotEmpty(schema.Validate(document));
        Assert.NotEmpty(DefinitionReader.Read(document).Faults);
    }

    [Fact]
    public void It_has_the_keys_that_the_reader_has()
    {
        AssertKeys(Keys.Document, Json);
        foreach (var (name, keys) in ((string, string[])[])
        [
            ("input", Keys.Input), ("concurrency", Keys.Concurrency), ("step", Keys.Step), ("retry", Keys.Retry), ("best_of", Keys.BestOf), ("judge", Keys.Judge),
            ("approval", Keys.Approval), ("webhook", Keys.Webhook), ("signal", Keys.Signal), ("resources", Keys.Resources), ("network", Keys.Network),
        ]) AssertKeys(keys, Json.GetProperty("definitions").GetProperty(name));
    }

    [Fact]
    public void Every_key_of_a_step_is_explained() => Assert.All(Json.GetProperty("definitions").GetProperty("step").GetProperty("properties").EnumerateObject(), property =>
        Assert.True(Described(property.Value), property.Name));

    private static bool Described(JsonElement part) => part.TryGetProperty("description", out _) ||
        part.TryGetProperty("$ref", out var reference) && (reference.GetString() == "#/definitions/retry" || Described(Json.GetProperty("definitions").GetProperty(reference.GetString()!.Split('/')[^1])));

    private static void AssertKeys(IEnumerable<string> keys, JsonElement part) =>
        Assert.Equal(keys.Order(StringComparer.Ordinal), part.GetProperty("properties").EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal));
}
