using System.Text.Json;

namespace Kohakku.Tests.Controller.Tasks;

public sealed class BatchTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_thousand_tasks_are_answered_in_order_and_listed_newest_first()
    {
        var tag = Guid.NewGuid().ToString();
        var answer = await _controller.PostAsync(
            "/api/v1/tasks/batch",
            JsonSerializer.Serialize(new { tasks = Enumerable.Range(0, 1_000).Select(i => new { brief = $"brief {i}", agent = i % 2 == 0 ? "shell" : "echo", tags = new[] { tag } }) }),
            Token);
        Assert.Equal(201, answer.Status);
        var titles = answer.Body.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("title").GetString()).ToList();
        Assert.Equal(Enumerable.Range(0, 1_000).Select(i => $"brief {i}"), titles);
        var page = await _controller.ListAsync($"tag={tag}&limit=2", Token);
        Assert.Equal(["brief 999", "brief 998"], page.Items.Select(task => task.Title));
        Assert.Equal(2_000L, await _controller.ScalarAsync<long>($"SELECT count(*) FROM task_events e JOIN tasks t ON t.id = e.task_id WHERE t.tags @> ARRAY['{tag}']"));
    }

    [Fact]
    public async Task One_wrong_task_keeps_all_out_and_is_named()
    {
        var before = await _controller.ScalarAsync<long>("SELECT count(*) FROM tasks");
        (await _controller.PostAsync(
            "/api/v1/tasks/batch", """{ "tasks": [{ "brief": "x", "agent": "shell" }, { "brief": "x", "agent": "shell", "priority": 500 }, { "brief": "x", "agent": "nobody" }] }""", Token))
            .IsProblem(422, "tasks[1].priority");
        (await _controller.PostAsync("/api/v1/tasks/batch", """{ "tasks": [{ "brief": "x", "agent": "shell" }, { "brief": "x", "agent": "nobody" }] }""", Token))
            .IsProblem(422, "tasks[1].agent");
        Assert.Equal(before, await _controller.ScalarAsync<long>("SELECT count(*) FROM tasks"));
    }

    [Fact]
    public async Task A_batch_shares_out_the_places_of_its_concurrency_keys()
    {
        var key = Guid.NewGuid().ToString();
        var answer = await _controller.PostAsync(
            "/api/v1/tasks/batch",
            JsonSerializer.Serialize(new { tasks = Enumerable.Range(0, 5).Select(_ => new { brief = "x", agent = "shell", concurrencyKey = key, concurrencyLimit = 2 }) }),
            Token);
        Assert.Equal(
            [false, false, true, true, true],
            answer.Body.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("waitReason").GetString()!.Contains(key, StringComparison.Ordinal)));
        Assert.Equal(3L, await _controller.ScalarAsync<long>(
            $"SELECT count(*) FROM task_events e JOIN tasks t ON t.id = e.task_id WHERE t.concurrency_key = '{key}' AND e.type = 'task.blocked'"));
    }
}
