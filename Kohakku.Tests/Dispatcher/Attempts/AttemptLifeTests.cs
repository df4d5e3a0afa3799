using System.Net;
using System.Net.Http.Json;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Attempts;

public sealed class AttemptLifeTests(PostgresFixture postgres, ObjectStorageFixture storage)
{
    [Fact]
    public async Task An_agent_runs_reports_and_leaves_nothing_behind()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        using var agent = await dispatcher.RunAsync(order);
        var posted = await agent.PostAsJsonAsync("/agent/v1/result", new { status = "succeeded", summary = "Done.", output = new { lines = 3 }, exitCode = 0 });
        Assert.Equal(HttpStatusCode.NoContent, posted.StatusCode);
        dispatcher.Runtime.Exit(order.AttemptId);

        var end = await dispatcher.Controller.EndOfAsync(order.AttemptId);
        Assert.Equal((AttemptState.Succeeded, "Done.", """{"lines":3}"""), (end.Status, end.Message, end.Output!.Value.GetRawText()));
        Assert.Equal(["starting", "running", "ended"], dispatcher.Controller.TypesOf(order.AttemptId));
        await Eventually.Async(() => dispatcher.Runtime.Removed.Contains(order.AttemptId));
        await Eventually.Async(() => dispatcher.HasForgottenAllAsync());
    }

    [Fact]
    public async Task A_task_that_takes_too_long_is_stopped_and_timed_out()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec(timeoutSeconds: 1);
        dispatcher.Controller.Submit(order);
        var end = await dispatcher.Controller.EndOfAsync(order.AttemptId);
        Assert.Equal((AttemptState.TimedOut, FailureReason.Timeout), (end.Status, end.Reason!.Value));
        Assert.Contains("timeout of 1 s", end.Message);
        Assert.Contains(order.AttemptId, dispatcher.Runtime.Stopped);
    }

    [Fact]
    public async Task An_agent_that_falls_silent_is_stopped()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec(heartbeatTimeoutSeconds: 1);
        dispatcher.Controller.Submit(order);
        var end = await dispatcher.Controller.EndOfAsync(order.AttemptId);
        Assert.Equal((AttemptState.Failed, FailureReason.HeartbeatLost), (end.Status, end.Reason!.Value));
        Assert.Contains("no sign of life for 1 s", end.Message);
    }

    [Fact]
    public async Task A_cancel_reaches_the_agent_at_once_and_closes_its_token()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        using var agent = await dispatcher.RunAsync(order);
        var beat = agent.PostAsync("/agent/v1/heartbeat?wait=20", null);
        dispatcher.Controller.Stops[order.AttemptId] = "canceled";
        var answer = await (await beat).Content.ReadFromJsonAsync<AgentHeartbeat>(System.Text.Json.JsonSerializerOptions.Web);
        Assert.Equal(AgentOrder.Stop, answer!.Order);
        var end = await dispatcher.Controller.EndOfAsync(order.AttemptId);
        Assert.Equal((AttemptState.Canceled, FailureReason.Canceled), (end.Status, end.Reason!.Value));
        var late = await agent.PostAsJsonAsync("/agent/v1/result", new { status = "succeeded" });
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
    }

    [Fact]
    public async Task An_image_that_is_not_there_ends_the_attempt_for_good_and_frees_the_slot()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage, "--MAX_CONCURRENT_AGENTS=1");
        dispatcher.Runtime.LaunchFault = new LaunchException(FailureReason.ImagePull, "There is no image test/image.", transient: false);
        var order = TestOrders.Exec();
        dispatcher.Controller.Submit(order);
        var end = await dispatcher.Controller.EndOfAsync(order.AttemptId);
        Assert.Equal((FailureReason.ImagePull, false, "There is no image test/image."), (end.Reason!.Value, end.Transient, end.Message));
        dispatcher.Runtime.LaunchFault = null;
        (await dispatcher.RunAsync(TestOrders.Exec())).Dispose();
    }

    [Fact]
    public async Task A_superseded_attempt_is_killed_and_says_nothing_more()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        (await dispatcher.RunAsync(order)).Dispose();
        dispatcher.Controller.Stops[order.AttemptId] = "superseded";
        await Eventually.Async(() => dispatcher.Runtime.Removed.Contains(order.AttemptId));
        await Eventually.Async(() => dispatcher.HasForgottenAllAsync());
        Assert.DoesNotContain(AttemptEventTypes.Ended, dispatcher.Controller.TypesOf(order.AttemptId));
    }

    [Fact]
    public async Task What_nobody_knows_is_removed_from_the_runtime()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        // Found by the round at the start, or by the next one.
        var stray = Guid.CreateVersion7();
        dispatcher.Runtime.Strays[stray] = "stray";
        await Eventually.Async(() => dispatcher.Runtime.Removed.Contains(stray), TimeSpan.FromSeconds(40));
        Assert.Contains(stray, dispatcher.Runtime.Stopped);
    }

    [Fact]
    public async Task An_orderly_stop_ends_agents_and_gives_their_tasks_back()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        (await dispatcher.RunAsync(order)).Dispose();
        await dispatcher.App.StopAsync();
        var end = await dispatcher.Controller.EndOfAsync(order.AttemptId);
        Assert.Equal((FailureReason.DispatcherLost, true, "The dispatcher was stopped."), (end.Reason!.Value, end.Transient, end.Message));
        Assert.Contains(order.AttemptId, dispatcher.Runtime.Removed);
    }
}
