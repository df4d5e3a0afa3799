using System.Net.Http.Json;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Reporting;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Reporting;

public sealed class ReportingTests(PostgresFixture postgres, ObjectStorageFixture storage)
{
    [Fact]
    public async Task A_controller_that_is_away_loses_nothing_and_stops_nobody()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        using var agent = await dispatcher.RunAsync(order);
        dispatcher.Controller.Away = true;
        // More than is kept in memory of one attempt.
        const int reports = EventQueue.InMemory + 50;
        for (var i = 0; i < reports; i += 10)
            (await agent.PostAsJsonAsync("/agent/v1/events", Enumerable.Range(i, 10).Select(n => new { type = "progress", percent = (double?)null, message = $"{n}" }))).EnsureSuccessStatusCode();
        Assert.Equal(2, dispatcher.Controller.EventsOf(order.AttemptId).Count);
        (await agent.PostAsJsonAsync("/agent/v1/result", new { status = "succeeded" })).EnsureSuccessStatusCode();
        dispatcher.Runtime.Exit(order.AttemptId);
        dispatcher.Controller.Away = false;
        await dispatcher.Controller.EndOfAsync(order.AttemptId);
        var messages = dispatcher.Controller.EventsOf(order.AttemptId).Where(each => each.Type == "progress").Select(each => each.Data!.Value.GetProperty("message").GetString());
        Assert.Equal(Enumerable.Range(0, 310).Take(reports).Select(n => $"{n}"), messages.Take(reports));
        Assert.Empty(dispatcher.Controller.Violations);
        await Eventually.Async(() => dispatcher.HasForgottenAllAsync());
    }

    [Fact]
    public async Task Lost_answers_and_gaps_are_sent_again_and_applied_once()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        dispatcher.Controller.LoseCallbacks = 2;
        dispatcher.Controller.TakeOnlyFirst = 4;
        var orders = Enumerable.Range(0, 40).Select(_ => TestOrders.Inline()).ToList();
        dispatcher.Controller.Submit(orders);
        await Eventually.Async(() => dispatcher.Controller.Ended == 40);
        Assert.All(orders, order => Assert.Equal([1L, 2L], dispatcher.Controller.EventsOf(order.AttemptId).Select(each => each.Sequence)));
    }

    [Fact]
    public async Task The_order_stop_kills_the_attempt_and_drops_its_events()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        using var agent = await dispatcher.RunAsync(order);
        dispatcher.Controller.Fenced[order.AttemptId] = true;
        await agent.PostAsJsonAsync("/agent/v1/events", new[] { new { type = "progress", percent = 1.0, message = "x" } });
        await Eventually.Async(() => dispatcher.Runtime.Stopped.Contains(order.AttemptId));
        await Eventually.Async(() => dispatcher.HasForgottenAllAsync());
        Assert.DoesNotContain("ended", dispatcher.Controller.TypesOf(order.AttemptId));
    }

    [Fact]
    public async Task Events_that_could_not_be_sent_go_out_after_a_restart()
    {
        var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        using (await dispatcher.RunAsync(order))
        {
            dispatcher.Controller.Away = true;
            dispatcher.Runtime.Exit(order.AttemptId, exitCode: 4);
            await Eventually.Async(() => dispatcher.App.Services.GetService(typeof(Outbox)) is Outbox { Depth: > 0 });
        }
        dispatcher = await dispatcher.RestartAsync();
        await using var _ = dispatcher;
        dispatcher.Controller.Away = false;
        Assert.Equal(FailureReason.HeartbeatLost, (await dispatcher.Controller.EndOfAsync(order.AttemptId)).Reason);
        Assert.Equal(["starting", "running", "ended"], dispatcher.Controller.TypesOf(order.AttemptId));
        await Eventually.Async(() => dispatcher.HasForgottenAllAsync());
    }
}
