using Kohakku.Workflows.Definitions;

namespace Kohakku.Tests.Workflows.Definitions;

public sealed class DefinitionFaultTests
{
    /// <summary>As <c>line:column path message</c>.</summary>
    private static string[] Faults(string document) =>
        [.. DefinitionReader.Read(document).Faults.Select(fault => $"{fault.Line}:{fault.Column} {fault.Path} {fault.Message}")];

    /// <summary>Of a step in block style; its keys are in lines from the third on, indented by four.</summary>
    private static string[] StepFaults(string keys) => Faults($"name: w\nsteps:\n  - id: s\n    {keys.Replace("\n", "\n    ", StringComparison.Ordinal)}\n");

    [Fact]
    public void All_faults_are_reported_at_once_in_the_order_of_the_document() => Assert.Equal(
        [
            "1:7 name must be 1 to 63 of a-z, 0-9 and inner hyphens",
            "2:1 tiemout is not known here; did you mean `timeout`?",
            "4:5 steps[0] must say what it does by one of agent, approval, wait, until, workflow, webhook, signal",
            "4:9 steps[0].id must be 1 to 63 letters, digits and _, not beginning with a digit",
            "5:5 steps[0].forEach is not known here; did you mean `for_each`?",
            "6:28 steps[0].retry.max_attempts must be from 1 to 100",
            "8:13 steps[1].needs[0] names the step `a`, which there is not",
        ],
        Faults("""
            name: Not A Name
            tiemout: 1d
            steps:
              - id: 1st
                forEach: "{{ inputs.list }}"
                retry: { max_attempts: 101 }
              - id: t
                needs: [a]
                wait: 1s
            """));

    [Theory]
    [InlineData("", "1:1  is empty")]
    [InlineData("# nothing\n", "1:1  is empty")]
    [InlineData("- a\n", "1:1  must be an object, but is a list")]
    [InlineData("name: w\nsteps: [{ id: s, wait: 1s }]\n---\nname: x\n", "3:1  must be one document; a second begins here")]
    [InlineData("name: w\nname: x\nsteps: [{ id: s, wait: 1s }]\n", "2:1 name stands here twice")]
    [InlineData("{\"name\":\"w\",\n \"name\":\"x\",\"steps\":[{\"id\":\"s\",\"wait\":\"1s\"}]}", "2:2 name stands here twice")]
    [InlineData("steps: [{ id: s, wait: 1s }]\n", "1:1 name is required")]
    [InlineData("name: w\n", "1:1 steps is required")]
    [InlineData("name: w\nsteps: []\n", "2:8 steps must be from 1 to 200")]
    [InlineData("name: w\nsteps: { id: s }\n", "2:8 steps must be a list, but is an object")]
    [InlineData("name: w\nsteps: [s]\n", "2:9 steps[0] must be an object, but is text")]
    [InlineData("name: -w\nsteps: [{ id: s, wait: 1s }]\n", "1:7 name must be 1 to 63 of a-z, 0-9 and inner hyphens")]
    [InlineData("name:\nsteps: [{ id: s, wait: 1s }]\n", "1:6 name must be text, but is empty")]
    [InlineData("name: [w]\nsteps: [{ id: s, wait: 1s }]\n", "1:7 name must be text, but is a list")]
    [InlineData("name: &n w\ndescription: *n\nsteps: [{ id: s, wait: 1s }]\n", "2:14  must not use aliases; write out what *n stands for")]
    [InlineData("name: !odd w\nsteps: [{ id: s, wait: 1s }]\n", "1:7  must not have the tag !odd")]
    [InlineData("name: w\ntimeout: 30\nsteps: [{ id: s, wait: 1s }]\n", "2:10 timeout must be a duration from 1s to 365d, like 30s, 5m, 2h, 1d, 1w or 1h30m")]
    [InlineData("name: w\nconcurrency: { limit: 0 }\nsteps: [{ id: s, wait: 1s }]\n", "2:14 concurrency.key is required", "2:23 concurrency.limit must be from 1 to 1000")]
    [InlineData("name: w\nconcurrency: { key: \"{{ steps.s.status }}\" }\nsteps: [{ id: s, wait: 1s }]\n", "2:25 concurrency.key must not use steps: it is rendered before the run begins")]
    [InlineData("name: w\noutputs: { a: 1, a: 2 }\nsteps: [{ id: s, wait: 1s }]\n", "2:18 outputs.a stands here twice")]
    [InlineData("name: w\noutputs: { a: .inf }\nsteps: [{ id: s, wait: 1s }]\n", "2:15 outputs.a must be a number that JSON has, or quoted")]
    [InlineData("name: w\noutputs: { a: \"\\0\" }\nsteps: [{ id: s, wait: 1s }]\n", "2:15 outputs.a must not contain the character U+0000")]
    [InlineData("name: w\noutputs: [1]\nsteps: [{ id: s, wait: 1s }]\n", "2:10 outputs must be an object, but is a list")]
    public void A_document_is_refused(string document, params string[] faults) => Assert.Equal(faults, Faults(document));

    [Theory]
    [InlineData("{ type: text }", "2:22 inputs.a.type must be one of string, number, integer, boolean, object, array, any")]
    [InlineData("strng", "2:14 inputs.a must be one of string, number, integer, boolean, object, array, any; did you mean `string`?")]
    [InlineData("{ required: true }", "2:14 inputs.a.type is required")]
    [InlineData("{ type: string, default: 5 }", "2:39 inputs.a.default must be a string")]
    [InlineData("{ type: string, required: yes }", "2:40 inputs.a.required must be true or false")]
    [InlineData("{ type: string, required: true, default: b }", "2:46 inputs.a.default is never taken, since the input is required")]
    [InlineData("{ type: integer, enum: [1, b], default: 2 }", "2:41 inputs.a.enum[1] must be an integer", "2:54 inputs.a.default must be one of 1, \"b\"")]
    [InlineData("{ type: integer, enum: [] }", "2:37 inputs.a.enum must be a list of at least one value")]
    [InlineData("{ typ: integer }", "2:14 inputs.a.type is required", "2:16 inputs.a.typ is not known here; did you mean `type`?")]
    public void An_input_is_refused(string input, params string[] faults) =>
        Assert.Equal(faults, Faults($"name: w\ninputs: {{ a: {input} }}\nsteps: [{{ id: s, wait: 1s }}]\n"));

    [Theory]
    [InlineData("agent: a", "3:5 steps[0].brief is required")]
    [InlineData("brief: b", "3:5 steps[0] must say what it does by one of agent, approval, wait, until, workflow, webhook, signal")]
    [InlineData("wait: 1s\nuntil: 2026-01-01T00:00:00Z", "5:5 steps[0].until stands beside `wait`; a step does one thing")]
    [InlineData("wait: 1s\nwith: {}\nbest_of: {}", "5:5 steps[0].with goes with `workflow` only", "6:5 steps[0].best_of goes with `agent` only")]
    [InlineData("wait: 1s\nmax_parallel: 2", "5:5 steps[0].max_parallel goes with `for_each` only")]
    [InlineData("wait: soon", "4:11 steps[0].wait must be a duration from 1s to 365d, like 30s, 5m, 2h, 1d, 1w or 1h30m")]
    [InlineData("until: 2026-01-01", "4:12 steps[0].until must be a time with its offset, like 2026-03-01T09:00:00Z")]
    [InlineData("until: 2026-01-01T09:00:00", "4:12 steps[0].until must be a time with its offset, like 2026-03-01T09:00:00Z")]
    [InlineData("wait: 1s\ncontinue_on_error: 1", "5:24 steps[0].continue_on_error must be true or false")]
    [InlineData("wait: 1s\nretry: 3", "5:12 steps[0].retry must be an object, but is text")]
    [InlineData("wait: 1s\nretry: { max_attempts: '3' }", "5:28 steps[0].retry.max_attempts must be a number from 1 to 100, but is text")]
    [InlineData("wait: 1s\nretry: { max_attempts: 1.5 }", "5:28 steps[0].retry.max_attempts must be from 1 to 100")]
    [InlineData("wait: 1s\ntimeout: 366d", "5:14 steps[0].timeout must be a duration from 1s to 365d, like 30s, 5m, 2h, 1d, 1w or 1h30m")]
    [InlineData("wait: 1s\nfor_each: [1, 2]", "5:15 steps[0].for_each must be text, but is a list")]
    [InlineData("wait: 1s\nfor_each: \"a {{ run.id }}\"", "5:15 steps[0].for_each must be exactly one {{ expression }}")]
    [InlineData("wait: 1s\nif: \"true\"", "5:9 steps[0].if must be exactly one {{ expression }}")]
    [InlineData("wait: 1s\nif: \"{{ run.id | size }}\"", "5:9 steps[0].if must not use filters; it takes operators, and .size for how many there are")]
    [InlineData("approval: { prompt: P }\nfor_each: \"{{ run.id }}\"", "5:5 steps[0].for_each does not go with `approval`: one person decides once")]
    [InlineData("approval: { on_timeout: decline }", "4:15 steps[0].approval.prompt is required", "4:29 steps[0].approval.on_timeout must be one of approve, reject")]
    [InlineData("workflow: A\nversion: 0", "4:15 steps[0].workflow must be 1 to 63 of a-z, 0-9 and inner hyphens", "5:14 steps[0].version must be from 1 to 2147483647")]
    [InlineData("webhook: ftp://example.org", "4:14 steps[0].webhook must be an http or https URL")]
    [InlineData("webhook: { method: post }", "4:14 steps[0].webhook.url is required", "4:24 steps[0].webhook.method must be one of POST, PUT, PATCH, GET, DELETE; did you mean `POST`?")]
    [InlineData("webhook: { url: \"https://a.b\", headers: { \"a b\": c, d: \"e\\nf\" } }", "4:47 steps[0].webhook.headers.a b must have the name of a header", "4:60 steps[0].webhook.headers.d must be one line")]
    [InlineData("signal: go", "4:13 steps[0].signal must be an object, but is text")]
    [InlineData("signal: { name: -go }", "4:21 steps[0].signal.name must be 1 to 63 letters, digits, _ and -, beginning with a letter or _")]
    [InlineData("wait: 1s\nneeds: [s]", "5:12 steps[0].needs must not go round in a circle: s → s")]
    [InlineData("wait: 1s\nneeds: s", "5:12 steps[0].needs must be a list, but is text")]
    public void A_step_is_refused(string keys, params string[] faults) => Assert.Equal(faults, StepFaults(keys));

    [Theory]
    [InlineData("agent: A", "4:12 steps[0].agent must be 1 to 63 of a-z, 0-9 and hyphens, beginning with a letter or digit")]
    [InlineData("brief: \"\"", "5:12 steps[0].brief must not be empty")]
    [InlineData("skills: [Git, git@0, a, a@2]", "6:14 steps[0].skills[0] must be name or name@version, like git or git@2",
        "6:19 steps[0].skills[1] must be name or name@version, like git or git@2", "6:29 steps[0].skills[3] names the skill `a` again")]
    [InlineData("env: { 1A: b, KOHAKKU_X: c }", "6:12 steps[0].env.1A must be named with letters, digits and _, not beginning with a digit, at most 200 characters",
        "6:19 steps[0].env.KOHAKKU_X must not begin with KOHAKKU_, which is Kohakku's own")]
    [InlineData("labels: { \"a=b\": c }", "6:15 steps[0].labels.a=b its name must not contain '=' or ','")]
    [InlineData("tags: [\"\"]", "6:12 steps[0].tags[0] must not be empty")]
    [InlineData("priority: 101", "6:15 steps[0].priority must be from -100 to 100")]
    [InlineData("inputs: 5", "6:13 steps[0].inputs must be an object, but is text")]
    [InlineData("resources: { cpu: 0, memory: 5, pids: 7 }", "6:23 steps[0].resources.cpu must be a number above 0 and at most 256",
        "6:26 steps[0].resources.memory is not known here; did you mean `memoryMb`?", "6:43 steps[0].resources.pids must be from 8 to 65536")]
    [InlineData("network: { mode: allow }", "6:22 steps[0].network.mode 'allow' is not in this release; it takes none or internet")]
    [InlineData("best_of: { count: 1 }", "6:14 steps[0].best_of.judge is required", "6:23 steps[0].best_of.count must be from 2 to 20")]
    [InlineData("output: { type: objekt }", "6:13 steps[0].output is not a JSON schema: its type \"objekt\" must be one of array, boolean, integer, null, number, object, string")]
    [InlineData("output: { $ref: \"https://example.org/schema\" }", "6:13 steps[0].output is not a JSON schema that stands alone: a $ref must begin with #")]
    [InlineData("output: { properties: { a: { $ref: other.json } } }", "6:13 steps[0].output is not a JSON schema that stands alone: a $ref must begin with #")]
    public void A_step_for_an_agent_is_refused(string key, params string[] faults) =>
        Assert.Equal(faults, key.StartsWith("agent", StringComparison.Ordinal) ? StepFaults($"{key}\nbrief: b")
            : key.StartsWith("brief", StringComparison.Ordinal) ? StepFaults($"agent: a\n{key}") : StepFaults($"agent: a\nbrief: b\n{key}"));

    [Theory]
    [InlineData("{ $ref: '#/nowhere' }")]
    [InlineData("{ required: parts }")]
    [InlineData("{ pattern: '(' }")]
    [InlineData("{ properties: { a: { type: [string, text] } } }")]
    [InlineData("{ type: array, items: 5 }")]
    public void An_output_that_is_no_schema_is_refused(string schema) =>
        Assert.StartsWith("6:13 steps[0].output is not a JSON schema: ", Assert.Single(StepFaults($"agent: a\nbrief: b\noutput: {schema}")), StringComparison.Ordinal);

    [Theory]
    [InlineData("{ type: object, properties: { $ref: { type: string }, pattern: { type: string } } }")]
    [InlineData("{ $id: \"https://example.org/x\", properties: { a: { $ref: '#' } } }")]
    [InlineData("{ enum: [{ $ref: elsewhere }] }")]
    public void A_schema_may_have_properties_of_any_name(string schema) => Assert.Empty(StepFaults($"agent: a\nbrief: b\noutput: {schema}"));

    [Fact]
    public void A_template_without_quotes_is_explained() =>
        Assert.Contains("5:12 steps[0].brief must be text, but is an object; a template in braces needs quotes: \"{{ … }}\"", StepFaults("agent: a\nbrief: {{ run.id }}"));

    [Fact]
    public void A_cycle_is_named() => Assert.Equal(
        ["3:21 steps[0].needs must not go round in a circle: a → c → b → a"],
        Faults("name: w\nsteps:\n  - { id: a, needs: [c], wait: 1s }\n  - { id: b, needs: [a], wait: 1s }\n  - { id: c, needs: [b], wait: 1s }\n"));

    [Fact]
    public void An_id_stands_once() => Assert.Equal(
        ["4:11 steps[1].id is the id of steps[0] already"], Faults("name: w\nsteps:\n  - { id: a, wait: 1s }\n  - { id: a, wait: 1s }\n"));

    [Theory]
    [InlineData("g", "", "on_failure names the step `g`, which there is not")]
    [InlineData("f", "needs: [a], ", "steps[1].needs does not go with the step of `on_failure`, which stands outside the graph")]
    [InlineData("f", "if: \"{{ run.id }}\", ", "steps[1].if does not go with the step of `on_failure`, which stands outside the graph")]
    [InlineData("a", "needs: [a], ", "steps[1].needs[0] must not name `a`, which runs only when the run fails")]
    public void The_step_for_failures_stands_alone(string onFailure, string keys, string fault) => Assert.Contains(
        Faults($"name: w\non_failure: {onFailure}\nsteps:\n  - {{ id: a, wait: 1s }}\n  - {{ id: f, {keys}wait: 1s }}\n"), found => found.EndsWith($" {fault}", StringComparison.Ordinal));

    [Fact]
    public void More_than_200_steps_are_refused() => Assert.Equal(
        ["2:8 steps must be from 1 to 200"],
        Faults($"name: w\nsteps: [{string.Join(',', Enumerable.Range(0, 201).Select(i => $"{{ id: s{i}, wait: 1s }}"))}]\n"));

    [Fact]
    public void A_document_over_256_KiB_is_refused() => Assert.Equal(["1:1  must be at most 256 KiB"], Faults($"name: w # {new string('ö', 128 * 1024)}"));

    [Theory]
    [InlineData('[', ']')]
    [InlineData('{', '}')]
    public void A_document_nested_too_deep_is_refused(char open, char close)
    {
        var nested = open == '[' ? new string(open, 30_000) + new string(close, 30_000) : string.Concat(Enumerable.Repeat("{\"a\":", 30_000)) + "1" + new string('}', 30_000);
        Assert.Contains("must not be nested deeper than 64", Assert.Single(Faults($"name: w\noutputs: {nested}\n")), StringComparison.Ordinal);
        Assert.Contains("must not be nested deeper than 64", Assert.Single(Faults($$"""{"name":"w","outputs":{{nested}}}""")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("name: w\n  steps: [", "2:")]
    [InlineData("{\"name\": \"w\",\n \"steps\": [}", "2:12")]
    [InlineData("name: \"w\nsteps: 1", "")]
    public void What_can_not_be_parsed_is_placed(string document, string place) => Assert.StartsWith(place, Assert.Single(Faults(document)), StringComparison.Ordinal);
}
