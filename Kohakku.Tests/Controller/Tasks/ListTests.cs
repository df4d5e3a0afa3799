using CsCheck;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Controller.Tasks;

public sealed class ListTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pages_skip_nothing_and_repeat_nothing_while_tasks_come_in()
    {
        var tag = Guid.NewGuid().ToString();
        var before = await SubmitManyAsync(tag, 60);
        foreach (var limit in (int[])[1, 7, 60, 200])
        {
            var seen = new List<Guid>();
            var cursor = "";
            do
            {
                var page = await _controller.ListAsync($"tag={tag}&limit={limit}{cursor}", Token);
                seen.AddRange(page.Items.Select(task => task.Id));
                cursor = page.NextCursor is { } next ? $"&cursor={Uri.EscapeDataString(next)}" : "";
                if (seen.Count % 3 == 0) await SubmitManyAsync(tag, 1);
            }
            while (cursor.Length > 0);

            Assert.Equal(seen.Count, seen.Distinct().Count());
            Assert.Equal(seen.OrderDescending(Comparer<Guid>.Create((left, right) => string.CompareOrdinal($"{left}", $"{right}"))), seen);
            Assert.Empty(before.Except(seen));
        }
    }

    [Fact]
    public async Task Filters_answer_what_a_plain_look_at_every_task_answers()
    {
        var tag = Guid.NewGuid().ToString();
        string[] agents = ["shell", "echo"];
        string[] zones = ["a", "b"];
        var tasks = new List<TaskView>();
        for (var i = 0; i < 40; i++)
        {
            tasks.Add(await _controller.SubmitAsync(
                new SubmitTask
                {
                    Title = $"Title_{i % 7} %", Brief = "x", Agent = agents[i % 2], Tags = i % 3 == 0 ? [tag, "third"] : [tag],
                    Labels = new Dictionary<string, string> { ["zone"] = zones[i / 2 % 2], ["n"] = $"{i % 4}" },
                    NotBefore = i % 5 == 0 ? new DateTimeOffset(2032, 1, 1, 0, 0, 0, TimeSpan.Zero) : null,
                },
                Token));
        }

        await Gen.Select(
            Gen.OneOfConst("", "queued", "scheduled", "scheduled,queued", "succeeded", "queued,succeeded"), Gen.OneOfConst("", "shell", "echo"), Gen.Bool,
            Gen.OneOfConst("", "zone=a", "zone:b"), Gen.OneOfConst("", "title_3", "_", "%", "E_1")).SampleAsync(
            async (status, agent, third, label, text) =>
            {
                var query = $"tag={tag}&limit=100&status={status}&agent={agent}&label={label}&q={Uri.EscapeDataString(text)}{(third ? "&tag=third" : "")}";
                var expected = tasks.Where(task =>
                    (status.Length == 0 || status.Split(',').Contains(WireEnum<TaskState>.NameOf(task.Status))) && (agent.Length == 0 || task.Agent == agent)
                    && (!third || task.Tags.Contains("third")) && (label.Length == 0 || task.Labels["zone"] == label[^1..])
                    && task.Title.Contains(text, StringComparison.OrdinalIgnoreCase));
                var page = await _controller.ListAsync(query, Token);
                return page.Items.Select(task => task.Id).SequenceEqual(expected.Select(task => task.Id).Reverse());
            },
            iter: 60, threads: 1);
    }

    [Fact]
    public async Task A_list_shows_attempts_and_leaves_out_what_may_be_large()
    {
        var tag = Guid.NewGuid().ToString();
        var ids = await SubmitManyAsync(tag, 3);
        foreach (var id in ids)
        {
            for (var number = 1; number <= 2; number++) await Rows.AddAttemptAsync(_controller, id, number, number == 1 ? "failed" : "running");
        }

        var page = await _controller.ListAsync($"tag={tag}", Token);
        Assert.All(page.Items, task => Assert.Equal([AttemptState.Failed, AttemptState.Running], task.Attempts.Select(attempt => attempt.Status)));
        Assert.All(page.Items, task => Assert.Null(task.Brief));
        Assert.Equal("brief", (await _controller.TaskAsync(ids[0], Token)).Brief);
    }

    [Fact]
    public async Task A_task_is_found_by_its_id() =>
        Assert.Single((await _controller.ListAsync($"q={(await SubmitManyAsync("x", 1))[0]}", Token)).Items);

    private async Task<List<Guid>> SubmitManyAsync(string tag, int count)
    {
        var ids = new List<Guid>();
        for (var i = 0; i < count; i++) ids.Add((await _controller.SubmitAsync(new SubmitTask { Brief = "brief", Agent = "shell", Tags = [tag] }, Token)).Id);
        return ids;
    }
}
