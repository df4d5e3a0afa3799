using System.Text;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.Tests.Controller.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.Tests.Controller.Agents;

public sealed class AgentTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_put_makes_an_agent_with_its_defaults_and_another_replaces_it_whole()
    {
        var name = Name();
        var made = await PutAsync(name, """{ "image": "debian:12", "command": ["sh", "BRIEF.md"], "env": { "A": "1" } }""");
        Assert.Equal(201, made.Status);
        Assert.Equal("exec missing none 60 0", string.Join(' ',
            made.Body.GetProperty("mode"), made.Body.GetProperty("pullPolicy"), made.Body.GetProperty("network").GetProperty("mode"),
            made.Body.GetProperty("heartbeatTimeoutSeconds"), made.Body.GetProperty("warm")));
        var replaced = await PutAsync(name, """{ "image": "debian:13", "command": ["true"] }""");
        Assert.Equal(200, replaced.Status);
        Assert.Empty(replaced.Body.GetProperty("env").EnumerateObject());
        var read = await GetAsync(name);
        Assert.Equal("debian:13", read.Body.GetProperty("image").GetString());
        Assert.Equal(made.Body.GetProperty("createdAt").GetString(), read.Body.GetProperty("createdAt").GetString());
    }

    [Theory]
    [InlineData("""{ }""", "command", "image")]
    [InlineData("""{ "image": "a b", "command": [] }""", "command", "image")]
    [InlineData("""{ "image": "-rm", "command": [""] }""", "command[0]", "image")]
    [InlineData("""{ "image": "debian:12", "command": ["a", null, "\u0000"] }""", "command[1]", "command[2]")]
    [InlineData("""{ "mode": "acp", "image": "x", "command": ["a"] }""", "mode")]
    [InlineData("""{ "mode": "protocol", "image": "x" }""", "mode")]
    [InlineData("""{ "mode": "inline", "warm": 1, "adapter": "x", "heartbeatTimeoutSeconds": 4 }""", "adapter", "heartbeatTimeoutSeconds", "warm")]
    [InlineData("""{ "mode": "inline", "warm": -1, "network": { "mode": "allow" }, "resources": { "cpu": 300 } }""", "network.mode", "resources.cpu", "warm")]
    [InlineData("""{ "mode": "inline", "env": { "KOHAKKU_X": "" } }""", "env.KOHAKKU_X")]
    public async Task Wrong_fields_are_all_named(string body, params string[] fields)
    {
        var name = Name();
        (await PutAsync(name, body)).IsProblem(422, fields);
        (await GetAsync(name)).IsProblem(404);
    }

    [Theory]
    [InlineData("""{ "mode": "Exec" }""", "mode")]
    [InlineData("""{ "command": "sh" }""", "command")]
    [InlineData("""{ "pullPolicy": "sometimes" }""", "pullPolicy")]
    public async Task What_can_not_be_parsed_is_a_bad_request(string body, string field) => (await PutAsync(Name(), body)).IsProblem(400, field);

    [Theory]
    [InlineData("-a")]
    [InlineData("A")]
    [InlineData("a_b")]
    [InlineData("a%00")]
    [InlineData("a%0A")]
    public async Task A_name_has_its_rule(string name)
    {
        (await PutAsync(name, """{ "mode": "inline" }""")).IsProblem(422, "name");
        (await GetAsync(name)).IsProblem(404);
        (await _controller.SendAsync(HttpMethod.Delete, $"/api/v1/agents/{name}", null, Token)).IsProblem(404);
    }

    [Fact]
    public async Task An_agent_is_deleted_once_no_unfinished_task_needs_it_and_comes_back_by_a_put()
    {
        var name = Name();
        await PutAsync(name, """{ "mode": "inline" }""");
        var task = await _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = name }, Token);
        (await DeleteAsync(name)).IsProblem(409);
        await _controller.ExecuteAsync("UPDATE tasks SET status = 'succeeded' WHERE id = $1", task.Id);
        Assert.Equal(204, (await DeleteAsync(name)).Status);
        (await GetAsync(name)).IsProblem(404);
        (await DeleteAsync(name)).IsProblem(404);
        (await _controller.PostAsync("/api/v1/tasks", $$"""{ "brief": "x", "agent": "{{name}}" }""", Token)).IsProblem(422, "agent");
        Assert.Equal(201, (await PutAsync(name, """{ "mode": "inline" }""")).Status);
        Assert.Equal(201, (await _controller.PostAsync("/api/v1/tasks", $$"""{ "brief": "x", "agent": "{{name}}" }""", Token)).Status);
    }

    [Fact]
    public async Task A_submit_that_meets_the_delete_either_keeps_the_agent_or_is_refused()
    {
        for (var round = 0; round < 15; round++)
        {
            var name = Name();
            await PutAsync(name, """{ "mode": "inline" }""");
            var submits = Enumerable.Range(0, 6).Select(_ => _controller.PostAsync("/api/v1/tasks", $$"""{ "brief": "x", "agent": "{{name}}" }""", Token)).ToList();
            var delete = await DeleteAsync(name);
            var answers = await Task.WhenAll(submits);
            Assert.All(answers, answer => Assert.True(answer.Status is 201 or 422, answer.Text));
            if (delete.Status == 204) Assert.All(answers, answer => Assert.Equal(422, answer.Status));
            else Assert.Equal(409, delete.Status);
        }
    }

    [Fact]
    public async Task Puts_of_one_name_at_the_same_time_make_one_agent()
    {
        var name = Name();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PutAsync(name, """{ "mode": "inline" }""")));
        Assert.All(answers, answer => Assert.True(answer.Status is 200 or 201, answer.Text));
        Assert.Equal(1L, await _controller.ScalarAsync<long>($"SELECT count(*) FROM agents WHERE name = '{name}'"));
    }

    [Fact]
    public async Task A_list_is_paged_by_name()
    {
        var seen = new List<string>();
        var cursor = "";
        do
        {
            var page = await _controller.SendAsync(HttpMethod.Get, $"/api/v1/agents?limit=2{cursor}", null, Token);
            seen.AddRange(page.Body.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()!));
            cursor = page.Body.GetProperty("nextCursor").GetString() is { } next ? $"&cursor={next}" : "";
        }
        while (cursor.Length > 0);
        Assert.Equal(seen.Order(StringComparer.Ordinal).Distinct(), seen);
        Assert.Superset(new HashSet<string>(["echo", "noop", "shell"]), seen.ToHashSet());
    }

    [Fact]
    public async Task Seeding_again_changes_nothing_that_is_there()
    {
        await PutAsync("noop", """{ "mode": "inline", "env": { "MINE": "1" } }""");
        Assert.Equal(0, await _controller.Services.GetRequiredService<SampleAgents>().SeedAsync(Token));
        Assert.Equal("1", (await GetAsync("noop")).Body.GetProperty("env").GetProperty("MINE").GetString());
    }

    private Task<Answer> PutAsync(string name, string json) =>
        _controller.SendAsync(HttpMethod.Put, $"/api/v1/agents/{name}", new StringContent(json, Encoding.UTF8, "application/json"), Token);

    private Task<Answer> GetAsync(string name) => _controller.SendAsync(HttpMethod.Get, $"/api/v1/agents/{name}", null, Token);

    private Task<Answer> DeleteAsync(string name) => _controller.SendAsync(HttpMethod.Delete, $"/api/v1/agents/{name}", null, Token);

    private static string Name() => $"a{Guid.NewGuid():N}";
}
