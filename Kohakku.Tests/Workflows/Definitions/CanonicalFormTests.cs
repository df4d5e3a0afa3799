using System.Text.Json;
using CsCheck;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Tests.Workflows.Definitions;

public sealed class CanonicalFormTests
{
    private static readonly Gen<string> Words = Gen.String[Gen.Char.AlphaNumeric, 1, 8].Select(word => $"a{word}");
    private static readonly Gen<TimeSpan?> Times = Gen.Int[1, 10_000_000].Select(seconds => TimeSpan.FromSeconds(seconds)).Nullable();

    private static readonly Gen<JsonElement?> Trees = Gen.OneOf(
        Gen.String.Select(text => JsonSerializer.SerializeToElement(new { text, list = new object?[] { 1, "1", null, true } })),
        Gen.Const(JsonElement.Parse("""{"b":1.50,"a":{"é":"<😀>"}}"""))).Nullable();

    private static readonly Gen<IReadOnlyDictionary<string, string>> Pairs =
        Gen.Dictionary(Words, Gen.String)[0, 3].Select(pairs => (IReadOnlyDictionary<string, string>)pairs);

    private static readonly Gen<StepDefinition> Steps = Gen.Select(
        Gen.Enum<StepKind>(), Words, Words.Array[0, 3], Words.Null(), Gen.Int[1, 5], Times, Trees, Pairs, (kind, id, words, text, number, time, tree, pairs) => new StepDefinition
        {
            Id = id, Kind = kind, Needs = words, If = text, ForEach = text, MaxParallel = number == 1 ? null : number, MaxAttempts = number, Timeout = time, ContinueOnError = number > 3,
            Agent = kind == StepKind.Agent
                ? new AgentStep
                {
                    Agent = id, Brief = text ?? "", Title = text, Skills = words, Inputs = tree, Env = pairs, Labels = pairs, Tags = words, Priority = number - 1, Output = tree,
                    Resources = tree, Network = tree,
                }
                : null,
            BestOf = kind == StepKind.Agent && number > 1 ? new BestOf { Count = number, Judge = new JudgeStep { Agent = id, Brief = id } } : null,
            Approval = kind == StepKind.Approval ? new ApprovalStep { Prompt = id, Timeout = time, OnTimeout = number > 2 ? "approve" : "reject" } : null,
            Wait = kind == StepKind.Wait ? new WaitStep { For = number > 2 ? id : null, Until = number > 2 ? null : id } : null,
            Workflow = kind == StepKind.Workflow ? new SubWorkflowStep { Name = id, Version = number > 2 ? number : null, With = tree } : null,
            Webhook = kind == StepKind.Webhook ? new WebhookStep { Url = id, Method = number > 2 ? "POST" : "GET", Headers = pairs, Body = tree } : null,
            Signal = kind == StepKind.Signal ? new SignalStep { Name = id } : null,
        });

    private static readonly Gen<IReadOnlyDictionary<string, InputDefinition>> Inputs = Gen.Dictionary(
        Words, Gen.Select(Gen.Bool, Trees, Words.Null(), (required, tree, text) => new InputDefinition
        {
            Type = "any", Required = required, Default = tree, Description = text, Enum = tree is { } value ? [value] : null,
        }))[0, 3].Select(inputs => (IReadOnlyDictionary<string, InputDefinition>)inputs);

    private static readonly Gen<WorkflowDefinition> Definitions = Gen.Select(
        Words, Words.Null(), Inputs, Gen.Int[1, 3], Times, Steps.Array[1, 5], Trees, (name, text, inputs, limit, time, steps, tree) => new WorkflowDefinition
        {
            Name = name, Description = text, Inputs = inputs, Concurrency = text is null ? null : new ConcurrencyDefinition { Key = text, Limit = limit }, Timeout = time,
            OnFailure = text, Steps = steps, Outputs = tree,
        });

    [Fact]
    public void Any_definition_comes_back() => Definitions.Sample(definition =>
    {
        var written = CanonicalForm.Write(definition);
        // Records compare their collections by reference; everything they hold is in the plain form, defaults and all.
        Assert.Equal(Everything(definition), Everything(CanonicalForm.Read(written)));
        Assert.Equal(written, CanonicalForm.Write(CanonicalForm.Read(written)));
    });

    [Fact]
    public void It_has_neither_nulls_nor_defaults() => Assert.Equal(
        """{"name":"w","steps":[{"id":"s","kind":"approval","approval":{"prompt":"Go <on> ä?"}},{"id":"t","kind":"agent","agent":{"agent":"a","brief":"b","inputs":{"a":null}}}]}""",
        CanonicalForm.Write(DefinitionReaderTests.Accepted("""
            name: w
            steps:
              - { id: s, needs: [], approval: { prompt: "Go <on> ä?", on_timeout: reject }, retry: { max_attempts: 1 }, continue_on_error: false }
              - { id: t, agent: a, brief: b, priority: 0, skills: [], env: {}, inputs: { a: null } }
            """)));

    [Fact]
    public void Defaults_are_there_again_once_it_is_read()
    {
        var definition = CanonicalForm.Read("""{"name":"w","concurrency":{"key":"k"},"steps":[{"id":"s","kind":"webhook","webhook":{"url":"u"}},{"id":"t","kind":"agent","agent":{"agent":"a","brief":"b"}}]}""");
        Assert.Equal((1, 1, "POST", 0), (definition.Concurrency!.Limit, definition.Steps[0].MaxAttempts, definition.Steps[0].Webhook!.Method, definition.Inputs.Count));
        Assert.Empty(definition.Steps[0].Needs);
        Assert.Empty(definition.Steps[0].Webhook!.Headers);
        Assert.Empty(definition.Steps[1].Agent!.Env);
    }

    [Fact]
    public void Documents_that_mean_the_same_have_the_same() => Assert.Equal(
        CanonicalForm.Write(DefinitionReaderTests.Accepted("name: w\nsteps:\n  - id: s\n    wait: 1s\n")),
        CanonicalForm.Write(DefinitionReaderTests.Accepted("""{ "steps": [ { "wait": "1s", "id": "s" } ], "name": "w" }""")));

    [Theory]
    [MemberData(nameof(Samples.All), MemberType = typeof(Samples))]
    public void What_is_read_comes_back(string document)
    {
        var definition = DefinitionReaderTests.Accepted(document);
        Assert.Equal(Everything(definition), Everything(CanonicalForm.Read(CanonicalForm.Write(definition))));
        Assert.Equal(definition.Inputs.Keys, CanonicalForm.Read(CanonicalForm.Write(definition)).Inputs.Keys);
    }

    private static string Everything(WorkflowDefinition definition) => JsonSerializer.Serialize(definition);
}
