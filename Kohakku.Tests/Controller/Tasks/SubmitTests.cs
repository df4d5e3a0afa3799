using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Controller.Tasks;

public sealed class SubmitTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_submitted_task_is_answered_as_it_is_read()
    {
        var answer = await _controller.PostAsync(
            "/api/v1/tasks",
            """
            { "title": "Count", "brief": "# Count lines\n", "agent": "shell", "inputs": { "b": 1.50, "a": "\u00e9" }, "env": { "CI": "true" }, "priority": 7,
              "labels": { "gpu": "true" }, "tags": ["a\"b\\c", "{x}", "a,b"], "maxAttempts": 3, "timeoutSeconds": 60, "onLost": "ask",
              "network": { "mode": "internet" }, "resources": { "cpu": 0.5, "memoryMb": 64 } }
            """,
            Token);
        Assert.Equal(201, answer.Status);
        Assert.Equal("queued", answer.Body.GetProperty("status").GetString());
        Assert.Equal("no dispatcher is online", answer.Body.GetProperty("waitReason").GetString());
        var read = await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks/{answer.Id}", null, Token);
        Assert.Equal(answer.Text, read.Text);
        Assert.Equal("""{"b":1.50,"a":"\u00e9"}""", answer.Body.GetProperty("inputs").GetRawText().Replace(" ", "", StringComparison.Ordinal).Replace("é", "\\u00e9", StringComparison.Ordinal));
        Assert.Equal(["a\"b\\c", "{x}", "a,b"], answer.Body.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
    }

    [Fact]
    public async Task The_first_events_and_the_trace_are_written_with_the_task()
    {
        const string TraceId = "4bf92f3577b34da6a3ce929d0e0e4736";
        var answer = await _controller.PostAsync(
            "/api/v1/tasks", """{ "brief": "x", "agent": "shell" }""", Token, ("traceparent", $"00-{TraceId}-00f067aa0ba902b7-01"));
        var events = await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks/{answer.Id}/events", null, Token);
        Assert.Equal(
            ["1 task.submitted", "2 task.queued"],
            events.Body.GetProperty("items").EnumerateArray().Select(item => $"{item.GetProperty("id")} {item.GetProperty("type").GetString()}"));
        Assert.Contains(TraceId, await _controller.ScalarAsync<string>($"SELECT trace_parent FROM tasks WHERE id = '{answer.Id}'"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("# Bump dependencies\nAll of them.", "Bump dependencies")]
    [InlineData("\n\n  #!/bin/sh\necho", "#!/bin/sh")]
    [InlineData("a\tb", "a b")]
    public async Task A_task_without_title_is_called_by_the_first_line_of_its_brief(string brief, string title) =>
        Assert.Equal(title, (await _controller.SubmitAsync(new SubmitTask { Brief = brief, Agent = "shell" }, Token)).Title);

    [Fact]
    public async Task A_task_that_is_not_due_is_scheduled()
    {
        var task = await _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell", NotBefore = DateTimeOffset.Parse("2031-01-01T00:00:00+02:00", null) }, Token);
        Assert.Equal((TaskState.Scheduled, "starts at 2030-12-31T22:00:00Z"), (task.Status, task.WaitReason));
        Assert.Equal(task.WaitReason, (await _controller.TaskAsync(task.Id, Token)).WaitReason);
    }

    [Fact]
    public async Task A_task_whose_time_has_passed_is_queued() =>
        Assert.Equal(
            TaskState.Queued, (await _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell", NotBefore = DateTimeOffset.UnixEpoch }, Token)).Status);

    [Fact]
    public async Task A_task_waits_for_the_tasks_it_needs()
    {
        var (first, second) = (await SubmitAsync(), await SubmitAsync());
        var task = await _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell", Needs = [first.Id, second.Id] }, Token);
        Assert.Equal((TaskState.Scheduled, "waits for 2 tasks"), (task.Status, task.WaitReason));
        await EndAsync(first, "succeeded");
        Assert.Equal("waits for 1 task", (await _controller.TaskAsync(task.Id, Token)).WaitReason);
        await EndAsync(second, "succeeded");
        Assert.Equal(TaskState.Queued, (await _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell", Needs = [first.Id, second.Id] }, Token)).Status);
    }

    [Fact]
    public async Task A_task_that_needs_what_failed_or_is_not_there_is_refused()
    {
        var failed = await SubmitAsync();
        await EndAsync(failed, "failed");
        (await _controller.PostAsync("/api/v1/tasks", $$"""{ "brief": "x", "agent": "nobody", "needs": ["{{failed.Id}}", "{{Guid.NewGuid()}}"] }""", Token))
            .IsProblem(422, "agent", "needs[0]", "needs[1]");
    }

    [Fact]
    public async Task Tasks_of_one_concurrency_key_get_their_places_in_order_however_many_come_at_once()
    {
        var key = Guid.NewGuid().ToString();
        var tasks = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ =>
            _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell", ConcurrencyKey = key, ConcurrencyLimit = 3 }, Token)));
        Assert.Equal(3, tasks.Count(task => task.WaitReason == "no dispatcher is online"));
        Assert.Equal(9, tasks.Count(task => task.WaitReason == $"other tasks hold concurrency key '{key}'"));
        Assert.Equal(3L, await _controller.ScalarAsync<long>($"SELECT count(*) FROM tasks WHERE concurrency_key = '{key}' AND claimable"));
    }

    [Fact]
    public async Task Many_at_once_are_all_written_and_answered_as_their_own()
    {
        var tag = Guid.NewGuid().ToString();
        var tasks = await Task.WhenAll(Enumerable.Range(0, 300).Select(i =>
            _controller.SubmitAsync(new SubmitTask { Title = $"{i}", Brief = $"brief {i}", Agent = "shell", Tags = [tag] }, Token)));
        for (var i = 0; i < tasks.Length; i++) Assert.Equal((i.ToString(null, null), $"brief {i}"), (tasks[i].Title, (await _controller.TaskAsync(tasks[i].Id, Token)).Brief));
        Assert.Equal(300L, await _controller.ScalarAsync<long>($"SELECT count(DISTINCT id) FROM tasks WHERE tags @> ARRAY['{tag}']"));
    }

    private Task<TaskView> SubmitAsync() => _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell" }, Token);

    private Task EndAsync(TaskView task, string status) => _controller.ExecuteAsync("UPDATE tasks SET status = $2, ended_at = now() WHERE id = $1", task.Id, status);
}
