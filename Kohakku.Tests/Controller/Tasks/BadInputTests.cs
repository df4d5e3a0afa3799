using System.Net;
using System.Text;
using System.Text.Json;

namespace Kohakku.Tests.Controller.Tasks;

/// <summary>Whatever is wrong with a submit: an answer that names the field and the rule, and nothing is written.</summary>
public sealed class BadInputTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{ "agent": "shell" }""", "brief")]
    [InlineData("""{ "brief": "   ", "agent": "shell" }""", "brief")]
    [InlineData("""{ "brief": "x" }""", "agent")]
    [InlineData("""{ }""", "agent", "brief")]
    [InlineData("""{ "brief": "x", "agent": "nobody" }""", "agent")]
    [InlineData("""{ "brief": "x", "agent": "Not A Name" }""", "agent")]
    [InlineData("""{ "brief": "x\u0000y", "agent": "shell" }""", "brief")]
    [InlineData("""{ "brief": "x", "agent": "shell", "title": "a\nb" }""", "title")]
    [InlineData("""{ "brief": "x", "agent": "shell", "title": "" }""", "title")]
    [InlineData("""{ "brief": "x", "agent": "shell", "skills": ["nothing"] }""", "skills[0]")]
    [InlineData("""{ "brief": "x", "agent": "shell", "skills": ["git@0", "a b", "git@x", null, "git--x"] }""", "skills[0]", "skills[1]", "skills[2]", "skills[3]", "skills[4]")]
    [InlineData("""{ "brief": "x", "agent": "shell", "inputs": [1] }""", "inputs")]
    [InlineData("""{ "brief": "x", "agent": "shell", "inputs": { "a": { "b": ["\u0000"] } } }""", "inputs")]
    [InlineData("""{ "brief": "x", "agent": "shell", "inputs": { "\u0000": 1 } }""", "inputs")]
    [InlineData("""{ "brief": "x", "agent": "shell", "inputs": { "a": "\ud800" } }""", "inputs")]
    [InlineData("""{ "brief": "x", "agent": "shell", "env": { "1X": "", "KOHAKKU_URL": "", "A=B": "", "OK": "\u0000", "N": null } }""", "env.1X", "env.A=B", "env.KOHAKKU_URL", "env.N", "env.OK")]
    [InlineData("""{ "brief": "x", "agent": "shell", "labels": { "gpu": "a\u0007", "a\nb": "x", "a=b": "x", "": "x" } }""", "labels.", "labels.a\nb", "labels.a=b", "labels.gpu")]
    [InlineData("""{ "brief": "x", "agent": "shell", "tags": ["ok", "", "a\tb", null] }""", "tags[1]", "tags[2]", "tags[3]")]
    [InlineData("""{ "brief": "x", "agent": "shell", "priority": 101, "maxAttempts": 0, "timeoutSeconds": -1 }""", "maxAttempts", "priority", "timeoutSeconds")]
    [InlineData("""{ "brief": "x", "agent": "shell", "timeoutSeconds": 2592001, "notBefore": "9000-01-01T00:00:00Z" }""", "notBefore", "timeoutSeconds")]
    [InlineData("""{ "brief": "x", "agent": "shell", "concurrencyLimit": 1 }""", "concurrencyLimit")]
    [InlineData("""{ "brief": "x", "agent": "shell", "concurrencyKey": "", "concurrencyLimit": 0 }""", "concurrencyKey", "concurrencyLimit")]
    [InlineData("""{ "brief": "x", "agent": "shell", "needs": ["00000000-0000-0000-0000-000000000001"] }""", "needs[0]")]
    [InlineData("""{ "brief": "x", "agent": "shell", "needs": ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"] }""", "needs")]
    [InlineData("""{ "brief": "x", "agent": "shell", "resources": { "cpu": 0, "memoryMb": 1, "pids": 1 } }""", "resources.cpu", "resources.memoryMb", "resources.pids")]
    [InlineData("""{ "brief": "x", "agent": "shell", "verify": ["true"], "workspace": {}, "secrets": ["A"], "network": { "mode": "allow" } }""", "network.mode", "secrets", "verify", "workspace")]
    public async Task Wrong_fields_are_all_named(string body, params string[] fields)
    {
        var before = await CountAsync();
        (await _controller.PostAsync("/api/v1/tasks", body, Token)).IsProblem(422, fields);
        (await _controller.PostAsync("/api/v1/tasks/batch", $$"""{ "tasks": [{ "brief": "x", "agent": "shell" }, {{body}}] }""", Token))
            .IsProblem(422, [.. fields.Select(field => $"tasks[1].{field}")]);
        Assert.Equal(before, await CountAsync());
    }

    [Theory]
    [InlineData("""{ "brief": 5, "agent": "shell" }""", "brief")]
    [InlineData("""{ "brief": "x", "agent": "shell", "timeoutSeconds": "60" }""", "timeoutSeconds")]
    [InlineData("""{ "brief": "x", "agent": "shell", "timeoutSeconds": 1.5 }""", "timeoutSeconds")]
    [InlineData("""{ "brief": "x", "agent": "shell", "priority": 99999999999 }""", "priority")]
    [InlineData("""{ "brief": "x", "agent": "shell", "onLost": "Retry" }""", "onLost")]
    [InlineData("""{ "brief": "x", "agent": "shell", "network": { "mode": "all" } }""", "network.mode")]
    [InlineData("""{ "brief": "x", "agent": "shell", "notBefore": "tomorrow" }""", "notBefore")]
    [InlineData("""{ "brief": "x", "agent": "shell", "needs": ["x"] }""", "needs[0]")]
    [InlineData("""{ "brief": "x", "agent": "shell", "tags": "a" }""", "tags")]
    [InlineData("""{ "brief": "x", "agent": "shell", "labels": { "gpu": 1 } }""", "labels.gpu")]
    [InlineData("""{ "brief": "x", "brief": "y", "agent": "shell" }""", "brief")]
    [InlineData("""{ "brief": "x", "agent": "shell", }""", "$")]
    [InlineData("""[]""", "$")]
    public async Task What_can_not_be_parsed_is_a_bad_request(string body, string field)
    {
        var answer = await _controller.PostAsync("/api/v1/tasks", body, Token);
        answer.IsProblem(400, field);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("brief: x")]
    public async Task A_body_that_is_no_json_object_is_a_bad_request(string body) =>
        Assert.Equal((400, "application/problem+json"), await StatusAsync(body));

    [Fact]
    public async Task A_body_of_another_type_is_refused()
    {
        using var content = new StringContent("{}", Encoding.UTF8, "text/plain");
        (await _controller.SendAsync(HttpMethod.Post, "/api/v1/tasks", content, Token)).IsProblem(415);
    }

    [Theory]
    [InlineData(1024 * 1024, 'x', 201)]
    [InlineData((1024 * 1024) + 1, 'x', 413)]
    [InlineData((512 * 1024) + 1, 'é', 413)]
    public async Task A_brief_has_at_most_one_MiB_of_utf8(int length, char character, int status)
    {
        var answer = await _controller.PostAsync("/api/v1/tasks", JsonSerializer.Serialize(new { brief = new string(character, length), agent = "shell" }), Token);
        Assert.Equal(status, answer.Status);
        if (status == 413) Assert.Contains("brief", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "tasks": [] }""", "tasks")]
    [InlineData("""{ }""", "tasks")]
    [InlineData("""{ "tasks": [null] }""", "tasks[0]")]
    public async Task A_batch_must_hold_tasks(string body, string field) => (await _controller.PostAsync("/api/v1/tasks/batch", body, Token)).IsProblem(422, field);

    [Fact]
    public async Task A_batch_holds_at_most_a_thousand() =>
        (await _controller.PostAsync(
            "/api/v1/tasks/batch", JsonSerializer.Serialize(new { tasks = Enumerable.Repeat(new { brief = "x", agent = "shell" }, 1_001) }), Token)).IsProblem(422, "tasks");

    [Theory]
    [InlineData("status=done", "status")]
    [InlineData("status=Queued", "status")]
    [InlineData("status=queued,done", "status")]
    [InlineData("label=gpu", "label")]
    [InlineData("label==x", "label")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("cursor=AAAAAAAAAAAAAAAAAAAAA%21", "cursor")]
    [InlineData("q=%00", "query")]
    public async Task A_wrong_filter_is_a_bad_request(string query, string field) =>
        (await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks?{query}", null, Token)).IsProblem(400, field);

    [Fact]
    public async Task Without_a_token_nothing_opens()
    {
        foreach (var token in (string?[])[null, "wrong"])
        {
            using var client = _controller.ClientOf(token);
            foreach (var path in (string[])["tasks", $"tasks/{Guid.NewGuid()}", $"tasks/{Guid.NewGuid()}/events", $"tasks/{Guid.NewGuid()}/logs", "agents", "skills"])
            {
                using var answer = await client.GetAsync($"/api/v1/{path}", Token);
                Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
                Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
            }
        }
    }

    [Fact]
    public async Task A_task_of_another_project_is_not_there()
    {
        var task = await _controller.PostAsync("/api/v1/tasks", """{ "brief": "x", "agent": "shell" }""", Token);
        using var other = await _controller.OtherProjectAsync(Token);
        foreach (var path in (string[])["", "/events", "/logs", "/artifacts", "/artifacts/a.txt"])
        {
            using var answer = await other.GetAsync($"/api/v1/tasks/{task.Id}{path}", Token);
            (await Answer.ReadAsync(answer, Token)).IsProblem(404);
        }

        using var needed = await other.PostAsync("/api/v1/tasks", new StringContent($$"""{ "brief": "x", "agent": "shell", "needs": ["{{task.Id}}"] }""", Encoding.UTF8, "application/json"), Token);
        (await Answer.ReadAsync(needed, Token)).IsProblem(422, "agent", "needs[0]");
        using var list = await other.GetAsync("/api/v1/tasks", Token);
        Assert.Equal(0, (await Answer.ReadAsync(list, Token)).Body.GetProperty("items").GetArrayLength());
    }

    private async Task<(int Status, string? ContentType)> StatusAsync(string body)
    {
        var answer = await _controller.PostAsync("/api/v1/tasks", body, Token);
        return (answer.Status, answer.ContentType);
    }

    private Task<long> CountAsync() => _controller.ScalarAsync<long>("SELECT count(*) FROM tasks");
}
