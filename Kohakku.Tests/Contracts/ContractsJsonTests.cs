using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using CsCheck;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Contracts;

public sealed class ContractsJsonTests
{
    private static readonly Gen<DateTimeOffset> Times =
        Gen.Long[0, 253_402_300_799].Select(DateTimeOffset.FromUnixTimeSeconds);

    private static readonly Gen<JsonElement> Json = Gen.OneOf(
        Gen.String.Select(text => JsonSerializer.SerializeToElement(text)),
        Gen.Int.Select(number => JsonSerializer.SerializeToElement(new { number, nested = new[] { number } })));

    private static readonly Gen<IReadOnlyDictionary<string, string>> Pairs =
        Gen.Dictionary(Gen.String[Gen.Char.AlphaNumeric, 1, 10], Gen.String)[0, 4].Select(pairs => (IReadOnlyDictionary<string, string>)pairs);

    [Fact]
    public void Any_task_that_is_submitted_comes_back() =>
        Gen.Select(Gen.String.Null(), Gen.String.Array[0, 3], Json, Pairs, Gen.Int.Nullable(), Times.Nullable(), Gen.Enum<OnLost>().Nullable(), Gen.Enum<NetworkMode>())
            .Sample((text, list, json, pairs, number, time, onLost, mode) => ComesBack(
                new SubmitTask
                {
                    Title = text, Brief = text, Skills = list, Inputs = json, Env = pairs, Priority = number, Labels = pairs, NotBefore = time, OnLost = onLost,
                    Network = new NetworkPolicy { Mode = mode, Allow = list }, Resources = new ResourceLimits { Cpu = number, Pids = number },
                },
                ContractsJson.Default.SubmitTask));

    [Fact]
    public void Any_batch_of_callbacks_comes_back() =>
        Gen.Select(Gen.Guid, Gen.Select(Gen.Guid, Gen.Long[1, long.MaxValue], Times, Gen.String, Json.Nullable()).Array[0, 5])
            .Sample((session, events) => ComesBack(
                new CallbackBatch(session, [.. events.Select(item => new AttemptEvent(item.Item1, item.Item2, item.Item3, item.Item4, item.Item5))]),
                ContractsJson.Default.CallbackBatch));

    [Fact]
    public void Any_failure_comes_back() =>
        Gen.Select(Gen.Enum<FailureReason>(), Gen.String, Gen.Int.Nullable(), Gen.String.Null())
            .Sample((reason, message, exitCode, tail) => ComesBack(new FailureView(reason, message, exitCode, tail), ContractsJson.Default.FailureView));

    [Fact]
    public void Unknown_fields_are_ignored_and_doubled_ones_refused()
    {
        var task = JsonSerializer.Deserialize("""{ "brief": "b", "fromTheFuture": { "a": [1] } }""", ContractsJson.Default.SubmitTask)!;
        Assert.Equal("b", task.Brief);
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("""{ "brief": "b", "brief": "c" }""", ContractsJson.Default.SubmitTask));
    }

    [Theory]
    [InlineData("""{ "priority": "1" }""")]
    [InlineData("""{ "priority": 1.5 }""")]
    [InlineData("""{ "priority": 99999999999 }""")]
    [InlineData("""{ "onLost": "Retry" }""")]
    [InlineData("""{ "labels": { "gpu": true } }""")]
    [InlineData("""{ "needs": ["not an id"] }""")]
    [InlineData("""[]""")]
    [InlineData("""{ "brief": """)]
    public void A_wrong_type_is_an_error(string json) =>
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(json, ContractsJson.Default.SubmitTask));

    [Fact]
    public void A_message_between_processes_needs_all_its_fields()
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize("{}", ContractsJson.Default.CallbackBatch));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize(
            """{ "session": "0190b0f0-0000-7000-8000-000000000000", "events": null }""", ContractsJson.Default.CallbackBatch));
    }

    [Fact]
    public void Contracts_depend_on_nothing_but_the_framework() =>
        Assert.All(
            typeof(ContractsJson).Assembly.GetReferencedAssemblies(),
            name => Assert.StartsWith("System.", name.Name, StringComparison.Ordinal));

    private static void ComesBack<T>(T value, JsonTypeInfo<T> type)
    {
        var json = JsonSerializer.Serialize(value, type);
        var again = JsonSerializer.Serialize(JsonSerializer.Deserialize(json, type)!, type);
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(json), JsonNode.Parse(again)), json);
        Assert.All(
            JsonNode.Parse(json)!.AsObject(),
            field => Assert.True(char.IsAsciiLetterLower(field.Key[0]), $"{field.Key} is not camelCase"));
    }
}
