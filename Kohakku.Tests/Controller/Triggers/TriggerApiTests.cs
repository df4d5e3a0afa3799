using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Controller.Tasks;

namespace Kohakku.Tests.Controller.Triggers;

public sealed class TriggerApiTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private const string Target = """ "target": { "task": { "agent": "noop", "brief": "x" } } """;
    private readonly RunningController _controller = fixture.Controller;
    private readonly string _name = $"t{Guid.NewGuid():N}"[..20];
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_put_makes_a_trigger_another_replaces_it_and_no_answer_has_the_secret()
    {
        const string Secret = "a-secret-that-nobody-sees";
        var made = await _controller.PutAsync(_name, $$$"""{ "verify": "github", "secret": "{{{Secret}}}", "filter": "{{ event == 'push' }}", {{{Target}}} }""");
        Assert.Equal((201, "github", $"http://localhost:8000/api/v1/hooks/{_name}"), (made.Status, made.Body.GetProperty("verify").GetString(), made.Body.GetProperty("url").GetString()));
        var replaced = await _controller.PutAsync(_name, """{ "verify": "token", "secret": "another-secret-of-its", "dedupeKey": "{{ payload.id }}", "target": { "workflow": "nightly", "inputs": { "night": "{{ payload.night }}" } } }""");
        Assert.Equal((200, "token", JsonValueKind.Null), (replaced.Status, replaced.Body.GetProperty("verify").GetString(), replaced.Body.GetProperty("filter").ValueKind));
        var read = await GetAsync("");
        Assert.Equal(made.Body.GetProperty("createdAt").GetString(), read.Body.GetProperty("createdAt").GetString());
        Assert.Equal(replaced.Text, read.Text);
        var list = await _controller.SendAsync(HttpMethod.Get, "/api/v1/triggers?limit=200", null, Token);
        Assert.Contains(_name, list.Text, StringComparison.Ordinal);
        foreach (var answer in (Answer[])[made, replaced, read, list, await GetAsync("/deliveries")])
        {
            foreach (var secret in (string[])[Secret, "another-secret-of-its", "\"secret\"", "sealed"]) Assert.DoesNotContain(secret, answer.Text, StringComparison.OrdinalIgnoreCase);
        }

        Assert.DoesNotContain("another-secret", await _controller.ScalarAsync<string>($"SELECT encode(sealed_secret, 'escape') || to_json(triggers)::text FROM triggers WHERE name = '{_name}'"), StringComparison.Ordinal);
        Assert.Equal(204, (await _controller.SendAsync(HttpMethod.Delete, $"/api/v1/triggers/{_name}", null, Token)).Status);
        (await GetAsync("")).IsProblem(404);
        (await GetAsync("/deliveries")).IsProblem(404);
        (await _controller.SendAsync(HttpMethod.Delete, $"/api/v1/triggers/{_name}", null, Token)).IsProblem(404);
    }

    [Theory]
    [InlineData("""{ }""", "secret", "target", "verify")]
    [InlineData("""{ "verify": "github", "secret": "short", "target": {} }""", "secret", "target")]
    [InlineData("""{ "verify": "standard", "secret": "whsec_c2hvcnQ=", "target": { "workflow": "A b", "inputs": 5 } }""", "secret", "target.inputs", "target.workflow")]
    [InlineData("""{ "verify": "token", "secret": "long enough", "filter": "{{ payload.", "dedupeKey": "{% nope %}", "target": { "task": { }, "workflow": "a" } }""",
        "dedupeKey", "filter", "secret", "target", "target.task.agent", "target.task.brief")]
    [InlineData("""{ "verify": "token", "secret": "long-enough", "filter": "{{ payloda.action }}", "dedupeKey": "{{ inputs.id }}", "target": { "task": { "agent": "noop", "brief": "{{ schedule.time }}", "inputs": { "a": ["{{ run.id }}", "{{ payload.a }}{{ headers['x-a'] }}{{ event }}{{ trigger.name }}{{ now }}{% assign own = 1 %}{{ own }}"] } } } }""",
        "dedupeKey", "filter", "target.task.brief", "target.task.inputs.a[0]")]
    public async Task Wrong_fields_are_all_named(string body, params string[] fields)
    {
        (await _controller.PutAsync(_name, body)).IsProblem(422, fields);
        (await GetAsync("")).IsProblem(404);
    }

    [Theory]
    [InlineData("""{ "verify": "Github", "secret": "long-enough", "target": { "workflow": "a" } }""", "verify")]
    [InlineData("""{ "verify": "github", "secret": 5, "target": { "workflow": "a" } }""", "secret")]
    public async Task What_can_not_be_parsed_is_a_bad_request(string body, string field) => (await _controller.PutAsync(_name, body)).IsProblem(400, field);

    [Fact]
    public async Task A_name_that_is_none_is_refused() => (await _controller.PutAsync("No_name", $$"""{ "verify": "github", "secret": "long-enough", {{Target}} }""")).IsProblem(422, "name");

    [Fact]
    public async Task A_secret_stays_where_none_is_given_and_must_fit_what_it_is_for()
    {
        await _controller.PutAsync(_name, $$"""{ "verify": "github", "secret": "{{Hooks.Secret}}", {{Target}} }""");
        Assert.Equal(200, (await _controller.PutAsync(_name, $$"""{ "verify": "github", "filter": "yes", {{Target}} }""")).Status);
        Assert.Equal(202, (await _controller.GithubAsync(_name, "push", "{}"u8.ToArray())).Status);
        // It has spaces, which no header's token has.
        (await _controller.PutAsync(_name, $$"""{ "verify": "token", {{Target}} }""")).IsProblem(422, "secret");
        Assert.Equal(200, (await _controller.PutAsync(_name, $$"""{ "verify": "github", "secret": "now another", {{Target}} }""")).Status);
        (await _controller.GithubAsync(_name, "push", "{}"u8.ToArray())).IsProblem(401);
        Assert.Equal(202, (await _controller.GithubAsync(_name, "push", "{}"u8.ToArray(), secret: "now another")).Status);
    }

    [Fact]
    public async Task Another_project_does_not_see_it_and_can_not_have_its_name()
    {
        await _controller.PutAsync(_name, $$"""{ "verify": "github", "secret": "{{Hooks.Secret}}", {{Target}} }""");
        using var other = await _controller.OtherProjectAsync(Token);
        foreach (var path in (string[])["", "/deliveries"]) Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync($"/api/v1/triggers/{_name}{path}", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.PostAsync($"/api/v1/triggers/{_name}/test", Json("{}"), Token)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.DeleteAsync($"/api/v1/triggers/{_name}", Token)).StatusCode);
        using var taken = await other.PutAsync($"/api/v1/triggers/{_name}", Json($$"""{ "verify": "github", "secret": "a-secret-of-its-own", {{Target}} }"""), Token);
        var problem = await Answer.ReadAsync(taken, Token);
        problem.IsProblem(409);
        Assert.Contains("unique over the whole installation", problem.Text, StringComparison.Ordinal);
        Assert.Equal(202, (await _controller.GithubAsync(_name, "push", "{}"u8.ToArray())).Status);
    }

    [Fact]
    public async Task A_viewer_looks_but_does_not_touch()
    {
        await _controller.PutAsync(_name, $$"""{ "verify": "github", "secret": "{{Hooks.Secret}}", {{Target}} }""");
        using var made = await _controller.Client.PostAsJsonAsync(
            "/api/v1/tokens", new CreateToken { Name = "viewer", Project = "default", Role = Role.Viewer }, ContractsJson.Default.CreateToken, Token);
        using var viewer = _controller.ClientOf((await made.Content.ReadFromJsonAsync(ContractsJson.Default.CreatedToken, Token))!.Token);
        foreach (var path in (string[])["", $"/{_name}", $"/{_name}/deliveries"]) Assert.Equal(HttpStatusCode.OK, (await viewer.GetAsync($"/api/v1/triggers{path}", Token)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await viewer.PutAsync($"/api/v1/triggers/{_name}", Json("{}"), Token)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await viewer.PostAsync($"/api/v1/triggers/{_name}/test", Json("{}"), Token)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await viewer.DeleteAsync($"/api/v1/triggers/{_name}", Token)).StatusCode);
        using var nobody = _controller.ClientOf(null);
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync($"/api/v1/triggers/{_name}", Token)).StatusCode);
    }

    [Fact]
    public async Task A_test_says_what_would_happen_and_nothing_does()
    {
        await _controller.PutAsync(_name,
            $$$"""
            { "verify": "github", "secret": "{{{Hooks.Secret}}}", "filter": "{{ payload.action == 'opened' }}", "dedupeKey": "{{ payload.number }}",
              "target": { "task": { "agent": "noop", "brief": "Review {{ payload.number }}", "inputs": { "n": "{{ payload.number }}" } } } }
            """);
        var opened = await TestAsync("""{ "payload": { "action": "opened", "number": 7 }, "headers": { "X-GitHub-Event": "pull_request" } }""");
        Assert.Equal((200, "accepted true 7 pull_request"), (opened.Status, string.Join(' ', ((string[])["result", "filter", "dedupeKey", "event"]).Select(field => opened.Body.GetProperty(field).GetString()))));
        Assert.Equal(("Review 7", 7), (opened.Body.GetProperty("task").GetProperty("brief").GetString(), opened.Body.GetProperty("task").GetProperty("inputs").GetProperty("n").GetInt32()));
        Assert.False(opened.Body.TryGetProperty("run", out _));
        var closed = await TestAsync("""{ "payload": { "action": "closed", "number": 7 } }""");
        Assert.Equal(("filtered", "false", false), (closed.Body.GetProperty("result").GetString(), closed.Body.GetProperty("filter").GetString(), closed.Body.TryGetProperty("task", out _)));
        Assert.Equal("filtered", (await TestAsync("""{ "headers": { "x-github-event": "ping" } }""")).Body.GetProperty("result").GetString());
        Assert.Equal(0L, await _controller.ScalarAsync<long>($"SELECT count(*) FROM tasks WHERE submitted_by = 'trigger {_name}'"));
        Assert.Equal(0, (await GetAsync("/deliveries")).Body.GetProperty("items").GetArrayLength());

        var real = await _controller.GithubAsync(_name, "pull_request", """{ "action": "opened", "number": 7 }"""u8.ToArray());
        var again = await TestAsync("""{ "payload": { "action": "opened", "number": 7 } }""");
        Assert.Equal(("duplicate", real.Body.GetProperty("taskId").GetGuid()), (again.Body.GetProperty("result").GetString(), again.Body.GetProperty("taskId").GetGuid()));
    }

    [Theory]
    [InlineData("""{ "task": { "agent": "gone", "brief": "x" } }""", "target.task.agent")]
    [InlineData("""{ "task": { "agent": "noop", "brief": "{{ payload.nothing }}" } }""", "target.task.brief")]
    [InlineData("""{ "task": { "agent": "noop", "brief": "x", "inputs": { "a": ["{{ event | divided_by: 0 }}"] } } }""", "target.task.inputs.a[0]")]
    [InlineData("""{ "task": { "agent": "noop", "brief": "x", "title": "{{ 5 }}" } }""", "target.task.title")]
    [InlineData("""{ "workflow": "gone" }""", "target.workflow")]
    [InlineData("""{ "workflow": "nightly", "inputs": { "nigth": "x" } }""", "target.inputs.nigth")]
    public async Task A_test_names_what_would_be_refused_as_the_delivery_is(string target, string field)
    {
        await _controller.PutAsync(_name, $$"""{ "verify": "github", "secret": "{{Hooks.Secret}}", "target": {{target}} }""");
        (await TestAsync("""{ "payload": {} }""")).IsProblem(422, field);
        (await _controller.GithubAsync(_name, "push", "{}"u8.ToArray())).IsProblem(422, field);
        var delivery = Assert.Single((await GetAsync("/deliveries")).Body.GetProperty("items").EnumerateArray());
        Assert.Contains(delivery.GetProperty("result").GetString(), (string[])["refused", "failed"]);
        Assert.StartsWith(field, delivery.GetProperty("note").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_of_a_run_shows_its_inputs()
    {
        await _controller.PutAsync(_name, $$$"""{ "verify": "github", "secret": "{{{Hooks.Secret}}}", "target": { "workflow": "nightly", "inputs": { "night": "{{ payload.night }}" } } }""");
        var run = (await TestAsync("""{ "payload": { "night": "2026-01-31" } }""")).Body.GetProperty("run");
        Assert.Equal(("nightly", "2026-01-31"), (run.GetProperty("workflow").GetString(), run.GetProperty("inputs").GetProperty("night").GetString()));
    }

    private Task<Answer> GetAsync(string path) => _controller.SendAsync(HttpMethod.Get, $"/api/v1/triggers/{_name}{path}", null, Token);

    private Task<Answer> TestAsync(string json) => _controller.PostAsync($"/api/v1/triggers/{_name}/test", json, Token);

    private static StringContent Json(string json) => new(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
}
