using System.Net;
using System.Net.Http.Json;
using System.Text;
using Kohakku.Contracts.Storage;
using Kohakku.Dispatcher.Logs;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.Tests.Dispatcher.Logs;

public sealed class LogFlowTests(PostgresFixture postgres, ObjectStorageFixture storage)
{
    [Fact]
    public async Task A_log_is_followed_live_stored_in_segments_and_its_tail_told_with_the_end()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec(secrets: new() { ["TOKEN"] = "hunter2hunter2" });
        using var agent = await dispatcher.RunAsync(order);
        await LogAsync(agent, "first hunter2hunter2\n");

        using var reader = Signed(dispatcher);
        using var answer = await reader.GetAsync($"/v1/attempts/{order.AttemptId}/logs?follow=true", HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.Equal("first ***", await lines.ReadLineAsync());
        await LogAsync(agent, "second\n");
        Assert.Equal("second", await lines.ReadLineAsync());

        await agent.PostAsJsonAsync("/agent/v1/result", new { status = "failed", error = "no hunter2hunter2" });
        dispatcher.Runtime.Exit(order.AttemptId);
        var end = await dispatcher.Controller.EndOfAsync(order.AttemptId);
        Assert.Equal(("first ***\nsecond\n", "no ***"), (end.LogTail, end.Message));
        Assert.Null(await lines.ReadLineAsync());
        var stored = await dispatcher.App.Services.GetRequiredService<ObjectStorage>().ReadAsync(ObjectKeys.LogSegment(order.AttemptId, 0), default);
        Assert.StartsWith("first ***\n", Encoding.UTF8.GetString(stored!));
        await Eventually.Async(() => Directory.GetFiles(Path.Combine(dispatcher.DataFolder, "attempt-logs")).Length == 0);
    }

    [Fact]
    public async Task Only_signed_calls_read_logs()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        using var agent = await dispatcher.RunAsync(order);
        Assert.Equal(HttpStatusCode.Unauthorized, (await agent.GetAsync($"/v1/attempts/{order.AttemptId}/logs")).StatusCode);
        using var reader = Signed(dispatcher);
        Assert.Equal("", await reader.GetStringAsync($"/v1/attempts/{order.AttemptId}/logs"));
        Assert.Equal(HttpStatusCode.NotFound, (await reader.GetAsync($"/v1/attempts/{Guid.NewGuid()}/logs")).StatusCode);
    }

    [Fact]
    public async Task Only_the_last_lines_come_when_a_tail_is_asked_for()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        using var agent = await dispatcher.RunAsync(order);
        await LogAsync(agent, "one\ntwo\nthree\n");
        using var reader = Signed(dispatcher);
        Assert.Equal("two\nthree\n", await reader.GetStringAsync($"/v1/attempts/{order.AttemptId}/logs?tail=2"));
    }

    private static async Task LogAsync(HttpClient agent, string text) =>
        (await agent.PostAsJsonAsync("/agent/v1/events", new[] { new { type = "log", stream = "stdout", text } })).EnsureSuccessStatusCode();

    /// <summary>As the controller calls.</summary>
    private static HttpClient Signed(RunningDispatcher dispatcher)
    {
        var signing = dispatcher.App.Services.GetRequiredService<SigningHandler>();
        signing.InnerHandler = new SocketsHttpHandler();
        return new HttpClient(signing) { BaseAddress = dispatcher.Url };
    }
}
