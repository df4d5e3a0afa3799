using System.Text;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.Tests.Controller.Tasks;

public sealed class LogTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private const string DeadDispatcher = "http://127.0.0.1:9";
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_log_of_an_ended_attempt_is_its_segments_in_order()
    {
        var task = await SubmitAsync();
        var first = await Rows.AddAttemptAsync(_controller, task, 1, "failed");
        var second = await Rows.AddAttemptAsync(_controller, task, 2, "succeeded");
        await StoreAsync(first, "one\n");
        await StoreAsync(second, "two\nth", "ree\n", "four");
        Assert.Equal("two\nthree\nfour", await LogsAsync(task, ""));
        Assert.Equal("one\n", await LogsAsync(task, "?attempt=1"));
        (await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks/{task}/logs?attempt=3", null, Token)).IsProblem(404);
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(1, "five\n")]
    [InlineData(2, "four\nfive\n")]
    [InlineData(3, "three\nfour\nfive\n")]
    [InlineData(4, "two\nthree\nfour\nfive\n")]
    [InlineData(99, "one\ntwo\nthree\nfour\nfive\n")]
    public async Task A_tail_is_the_last_lines_wherever_segments_end(int lines, string expected)
    {
        var task = await SubmitAsync();
        await StoreAsync(await Rows.AddAttemptAsync(_controller, task, 1, "succeeded"), "one\ntwo\nth", "ree", "\nfour\n", "five\n");
        Assert.Equal(expected, await LogsAsync(task, $"?tail={lines}"));
    }

    [Fact]
    public async Task A_tail_of_a_log_whose_last_line_has_no_end_counts_that_line()
    {
        var task = await SubmitAsync();
        await StoreAsync(await Rows.AddAttemptAsync(_controller, task, 1, "succeeded"), "one\n", "two");
        Assert.Equal("two", await LogsAsync(task, "?tail=1"));
    }

    [Fact]
    public async Task A_task_that_has_not_begun_has_an_empty_log() => Assert.Equal("", await LogsAsync(await SubmitAsync(), ""));

    [Theory]
    [InlineData("tail=-1", "tail")]
    [InlineData("tail=x", "tail")]
    [InlineData("attempt=0", "attempt")]
    [InlineData("follow=yes", "follow")]
    public async Task A_wrong_parameter_is_a_bad_request(string query, string field) =>
        (await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks/{await SubmitAsync()}/logs?{query}", null, Token)).IsProblem(400, field);

    [Fact]
    public async Task The_log_of_a_running_attempt_comes_from_its_dispatcher_signed()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync(Token);
        dispatcher.Write("live\n");
        var task = await SubmitAsync();
        await Rows.AddAttemptAsync(_controller, task, 1, "running", await Rows.AddDispatcherAsync(_controller, dispatcher.Url));
        Assert.Equal("live\n", await LogsAsync(task, ""));
        Assert.True(dispatcher.WasSigned);
        Assert.Equal("live\n", await LogsAsync(task, "?tail=5"));
        Assert.EndsWith("?tail=5", dispatcher.Requests.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_running_attempt_whose_dispatcher_is_away_what_is_stored_is_shown()
    {
        var task = await SubmitAsync();
        await StoreAsync(await Rows.AddAttemptAsync(_controller, task, 1, "running", await Rows.AddDispatcherAsync(_controller, DeadDispatcher)), "so far\n");
        Assert.Equal("so far\n", await LogsAsync(task, ""));
    }

    [Fact]
    public async Task Following_goes_from_the_queue_through_every_attempt_to_the_end()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync(Token);
        var task = await SubmitAsync();
        var following = LogsAsync(task, "?follow=true");
        var first = await Rows.AddAttemptAsync(_controller, task, 1, "running", await Rows.AddDispatcherAsync(_controller, dispatcher.Url));
        Tell(task);
        await Eventually.Async(() => !dispatcher.Requests.IsEmpty);
        dispatcher.Write("first 1\n");
        dispatcher.Write("first 2\n");
        // The dispatcher ends its stream before the end of the attempt is known here; the last line is stored only.
        dispatcher.BreakOff();
        await StoreAsync(first, "first 1\nfirst 2\n", "first 3\n");
        await Rows.EndAttemptAsync(_controller, first);
        // On a slow machine the controller may have looked again before that, and follow a new stream.
        dispatcher.BreakOff();
        await StoreAsync(await Rows.AddAttemptAsync(_controller, task, 2, "succeeded"), "second\n");
        await Rows.AppendAsync(_controller, task, "task.ended", "succeeded");
        Assert.Equal("first 1\nfirst 2\nfirst 3\nsecond\n", await following);
    }

    [Fact]
    public async Task A_dispatcher_that_comes_back_goes_on_where_it_broke_off()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync(Token);
        var task = await SubmitAsync();
        var attempt = await Rows.AddAttemptAsync(_controller, task, 1, "running", await Rows.AddDispatcherAsync(_controller, dispatcher.Url));
        dispatcher.Write("a\n");
        var following = LogsAsync(task, "?follow=true&attempt=1");
        await Eventually.Async(() => dispatcher.Requests.Count == 1);
        dispatcher.Write("b\n");
        dispatcher.BreakOff();
        dispatcher.Write("c\n");
        Tell(task);
        await Eventually.Async(() => dispatcher.Requests.Count == 2);
        dispatcher.Write("d\n");
        await StoreAsync(attempt, "a\nb\nc\nd\n");
        await Rows.EndAttemptAsync(_controller, attempt);
        dispatcher.BreakOff();
        Tell(task);
        Assert.Equal("a\nb\nc\nd\n", await following);
    }

    private async Task<Guid> SubmitAsync() => (await _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell" }, Token)).Id;

    private Task<string> LogsAsync(Guid task, string query) => _controller.Client.GetStringAsync($"/api/v1/tasks/{task}/logs{query}", Token);

    private void Tell(Guid task) => _controller.Services.GetRequiredService<ChangeFeed>().PublishTasks([task]);

    private async Task StoreAsync(Guid attempt, params string[] segments)
    {
        for (var i = 0; i < segments.Length; i++)
            await _controller.Storage.PutAsync($"logs/{attempt}/{i:00000}.log", Encoding.UTF8.GetBytes(segments[i]), "text/plain", Token);
    }
}
