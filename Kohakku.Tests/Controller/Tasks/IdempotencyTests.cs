namespace Kohakku.Tests.Controller.Tasks;

public sealed class IdempotencyTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private const string Body = """{ "brief": "x", "agent": "shell", "inputs": { "a": 1 } }""";
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_key_and_body_answer_the_same_task()
    {
        var key = Key();
        var first = await SubmitAsync(key, Body);
        // Neither order of spaces nor an unknown field make it another request.
        var again = await SubmitAsync(key, """{"brief":"x","agent":"shell","inputs":{"a":1},"unknown":true}""");
        Assert.Equal((201, 200), (first.Status, again.Status));
        Assert.Equal(first.Text, again.Text);
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused()
    {
        var key = Key();
        await SubmitAsync(key, Body);
        (await SubmitAsync(key, """{ "brief": "y", "agent": "shell" }""")).IsProblem(422, "Idempotency-Key");
    }

    [Fact]
    public async Task Without_a_key_each_submit_is_a_task() =>
        Assert.NotEqual((await _controller.PostAsync("/api/v1/tasks", Body, Token)).Id, (await _controller.PostAsync("/api/v1/tasks", Body, Token)).Id);

    [Fact]
    public async Task Equal_submits_at_the_same_time_make_one_task()
    {
        for (var round = 0; round < 10; round++)
        {
            var key = Key();
            var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => SubmitAsync(key, Body)));
            Assert.Single(answers, answer => answer.Status == 201);
            Assert.Equal(15, answers.Count(answer => answer.Status == 200));
            Assert.Single(answers.Select(answer => answer.Id).Distinct());
        }
    }

    [Fact]
    public async Task Equal_submits_with_a_concurrency_key_at_the_same_time_make_one_task()
    {
        var key = Key();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SubmitAsync(key, $$"""{ "brief": "x", "agent": "shell", "concurrencyKey": "{{key}}" }""")));
        Assert.Single(answers, answer => answer.Status == 201);
        Assert.Single(answers.Select(answer => answer.Id).Distinct());
    }

    [Fact]
    public async Task A_repeat_is_answered_though_its_agent_is_gone()
    {
        var name = $"a{Guid.NewGuid():N}";
        await _controller.SendAsync(HttpMethod.Put, $"/api/v1/agents/{name}", new StringContent("""{ "mode": "inline" }""", System.Text.Encoding.UTF8, "application/json"), Token);
        var key = Key();
        var body = $$"""{ "brief": "x", "agent": "{{name}}" }""";
        var first = await SubmitAsync(key, body);
        Assert.Equal(201, first.Status);
        await _controller.ExecuteAsync("UPDATE tasks SET status = 'succeeded', ended_at = now() WHERE id = $1", first.Id);
        Assert.Equal(204, (await _controller.SendAsync(HttpMethod.Delete, $"/api/v1/agents/{name}", null, Token)).Status);
        var again = await SubmitAsync(key, body);
        Assert.Equal((200, first.Id), (again.Status, again.Id));
        (await SubmitAsync(Key(), body)).IsProblem(422, "agent");
    }

    [Fact]
    public async Task A_batch_is_repeated_as_a_whole()
    {
        var key = Key();
        const string Batch = """{ "tasks": [{ "brief": "a", "agent": "shell" }, { "brief": "b", "agent": "shell" }] }""";
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _controller.PostAsync("/api/v1/tasks/batch", Batch, Token, ("Idempotency-Key", key))));
        Assert.Single(answers, answer => answer.Status == 201);
        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        (await _controller.PostAsync("/api/v1/tasks/batch", """{ "tasks": [{ "brief": "a", "agent": "shell" }] }""", Token, ("Idempotency-Key", key))).IsProblem(422, "Idempotency-Key");
    }

    [Fact]
    public async Task A_key_is_one_header_of_printable_characters()
    {
        foreach (var key in (string[])["", new string('k', 256), "a\tb"])
            (await _controller.PostAsync("/api/v1/tasks", Body, Token, ("Idempotency-Key", key))).IsProblem(400, "Idempotency-Key");
        Assert.Equal(201, (await SubmitAsync(new string('k', 255), Body)).Status);
    }

    [Fact]
    public async Task Keys_of_two_projects_are_apart()
    {
        var key = Key();
        await SubmitAsync(key, Body);
        using var other = await _controller.OtherProjectAsync(Token);
        other.DefaultRequestHeaders.Add("Idempotency-Key", key);
        using var agent = await other.PutAsync("/api/v1/agents/shell", new StringContent("""{ "mode": "inline" }""", System.Text.Encoding.UTF8, "application/json"), Token);
        using var answer = await other.PostAsync("/api/v1/tasks", new StringContent(Body, System.Text.Encoding.UTF8, "application/json"), Token);
        Assert.Equal(System.Net.HttpStatusCode.Created, answer.StatusCode);
    }

    private Task<Answer> SubmitAsync(string key, string body) => _controller.PostAsync("/api/v1/tasks", body, Token, ("Idempotency-Key", key));

    private static string Key() => $"key {Guid.NewGuid()}";
}
