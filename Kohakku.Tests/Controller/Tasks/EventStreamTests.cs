using System.Globalization;
using System.Net;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Controller.Tasks;

public sealed class EventStreamTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stream_has_the_whole_timeline_as_it_comes_and_ends_with_the_task()
    {
        var task = await SubmitAsync();
        using var stream = await EventReader.OpenAsync(_controller.Client, task.Id, null, Token);
        Assert.Equal("1 task.submitted", await stream.NextAsync(Token));
        Assert.Equal("2 task.queued", await stream.NextAsync(Token));
        await Rows.AppendAsync(_controller, task.Id, "attempt.claimed", "running");
        Assert.Equal("3 attempt.claimed", await stream.NextAsync(Token));
        await Rows.AppendAsync(_controller, task.Id, "task.ended", "succeeded");
        Assert.Equal("4 task.ended", await stream.NextAsync(Token));
        Assert.Null(await stream.NextAsync(Token));
    }

    [Fact]
    public async Task A_client_that_keeps_breaking_off_misses_nothing_and_gets_nothing_twice()
    {
        const int Events = 400;
        var task = await SubmitAsync();
        var writing = Task.Run(
            async () =>
            {
                for (var i = 0; i < Events; i++) await Rows.AppendAsync(_controller, task.Id, "attempt.progress", "running");
                await Rows.AppendAsync(_controller, task.Id, "task.ended", "succeeded");
            },
            Token);

        var random = new Random(7);
        var seen = new List<long>();
        string? last = null;
        while (last != "task.ended")
        {
            using var stream = await EventReader.OpenAsync(_controller.Client, task.Id, seen.Count == 0 ? null : seen[^1], Token);
            for (var left = random.Next(1, 40); left > 0 && await stream.NextAsync(Token) is { } text; left--)
            {
                var parts = text.Split(' ');
                seen.Add(long.Parse(parts[0], CultureInfo.InvariantCulture));
                last = parts[1];
            }
        }

        await writing;
        Assert.Equal(Enumerable.Range(1, Events + 3).Select(id => (long)id), seen);
    }

    [Fact]
    public async Task The_stream_of_an_ended_task_ends_at_once_and_a_browser_that_comes_back_is_told_to_stop()
    {
        var task = await SubmitAsync();
        await Rows.AppendAsync(_controller, task.Id, "task.ended", "canceled");
        using (var stream = await EventReader.OpenAsync(_controller.Client, task.Id, 2, Token))
        {
            Assert.Equal("3 task.ended", await stream.NextAsync(Token));
            Assert.Null(await stream.NextAsync(Token));
        }

        using var request = EventReader.Request(task.Id, 3);
        using var answer = await _controller.Client.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task After_a_retry_the_stream_goes_on_from_where_it_was()
    {
        var task = await SubmitAsync();
        await Rows.AppendAsync(_controller, task.Id, "task.ended", "failed");
        await Rows.AppendAsync(_controller, task.Id, "task.retried", "queued");
        using var stream = await EventReader.OpenAsync(_controller.Client, task.Id, 3, Token);
        Assert.Equal("4 task.retried", await stream.NextAsync(Token));
        await Rows.AppendAsync(_controller, task.Id, "task.ended", "succeeded");
        Assert.Equal("5 task.ended", await stream.NextAsync(Token));
        Assert.Null(await stream.NextAsync(Token));
    }

    [Fact]
    public async Task As_json_the_timeline_is_paged()
    {
        var task = await SubmitAsync();
        for (var i = 0; i < 5; i++) await Rows.AppendAsync(_controller, task.Id, "attempt.progress");
        var first = await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks/{task.Id}/events?limit=4", null, Token);
        var cursor = first.Body.GetProperty("nextCursor").GetString();
        var second = await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks/{task.Id}/events?limit=4&cursor={cursor}", null, Token);
        Assert.Equal([1L, 2, 3, 4, 5, 6, 7], ((Answer[])[first, second]).SelectMany(page => page.Body.GetProperty("items").EnumerateArray()).Select(item => item.GetProperty("id").GetInt64()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, second.Body.GetProperty("nextCursor").ValueKind);
    }

    [Theory]
    [InlineData("after=-1", "after")]
    [InlineData("after=x", "after")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("limit=1000", "limit")]
    public async Task A_wrong_place_in_the_timeline_is_a_bad_request(string query, string field) =>
        (await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks/{(await SubmitAsync()).Id}/events?{query}", null, Token)).IsProblem(400, field);

    private Task<TaskView> SubmitAsync() => _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell" }, Token);
}
