using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Dispatcher.Claiming;

public sealed class ClaimingTests(PostgresFixture postgres, ObjectStorageFixture storage)
{
    [Fact]
    public async Task Inline_tasks_end_once_each_and_leave_nothing_behind()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var controller = dispatcher.Controller;
        var orders = Enumerable.Range(0, 1000).Select(_ => TestOrders.Inline()).ToList();
        controller.Submit(orders);
        await Eventually.Async(() => controller.Ended == orders.Count);
        Assert.All(orders, order => Assert.Equal([AttemptEventTypes.Running, AttemptEventTypes.Ended], controller.TypesOf(order.AttemptId)));
        Assert.Empty(controller.Violations);
        // More than the slots at a time, once it has seen that they are inline.
        Assert.Contains(controller.Claims, claim => claim.Slots > 100);
        await Eventually.Async(() => dispatcher.HasForgottenAllAsync());
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_brings_the_same_orders_once()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var controller = dispatcher.Controller;
        controller.LoseClaims = 2;
        var order = TestOrders.Inline();
        controller.Submit(order);
        Assert.Equal(AttemptState.Succeeded, (await controller.EndOfAsync(order.AttemptId)).Status);
        Assert.Equal(2, controller.EventsOf(order.AttemptId).Count);
        var asked = controller.Claims.Take(3).Select(claim => (claim.RequestId, claim.Slots)).Distinct();
        Assert.Single(asked);
    }

    [Fact]
    public async Task No_more_agents_run_than_there_are_slots()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage, "--MAX_CONCURRENT_AGENTS=2");
        var controller = dispatcher.Controller;
        var orders = Enumerable.Range(0, 4).Select(_ => TestOrders.Exec()).ToList();
        controller.Submit(orders);
        await Eventually.Async(() => controller.TypesOf(orders[0].AttemptId).Contains("running") && controller.TypesOf(orders[1].AttemptId).Contains("running"));
        Assert.Equal(2, dispatcher.Runtime.Started.Count);
        Assert.All(controller.Claims, claim => Assert.InRange(claim.Slots, 1, 2));

        dispatcher.Runtime.Exit(orders[0].AttemptId, exitCode: 1);
        await controller.EndOfAsync(orders[0].AttemptId);
        await Eventually.Async(() => controller.TypesOf(orders[2].AttemptId).Contains("running"));
        Assert.Equal(1, controller.Claims.Last().Slots);
    }

    [Fact]
    public async Task Agents_that_came_in_place_of_inline_attempts_and_find_no_slot_go_back()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage, "--MAX_CONCURRENT_AGENTS=1");
        var controller = dispatcher.Controller;
        controller.Submit(Enumerable.Range(0, 63).Select(_ => TestOrders.Inline()));
        // 1, 2, 4 … 32 are 63: the next claim asks for 64.
        await Eventually.Async(() => controller.Claims.LastOrDefault()?.Slots == 64);
        var agents = Enumerable.Range(0, 3).Select(_ => TestOrders.Exec()).ToList();
        controller.Submit(agents);
        var returned = await Task.WhenAll(agents.Skip(1).Select(agent => controller.EndOfAsync(agent.AttemptId)));
        Assert.All(returned, end => Assert.Equal((FailureReason.DispatcherLost, true), (end.Reason!.Value, end.Transient)));
        Assert.Equal([agents[0].AttemptId], dispatcher.Runtime.Started.Keys);
    }

    [Fact]
    public async Task Registers_anew_when_the_controller_forgot_it()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var controller = dispatcher.Controller;
        await Eventually.Async(() => !controller.Heartbeats.IsEmpty);
        controller.ForgetSession = true;
        await Eventually.Async(() => controller.Registrations.Count == 2);
        controller.Submit(); // ends the long poll of the old session
        var order = TestOrders.Inline();
        controller.Submit(order);
        await controller.EndOfAsync(order.AttemptId);
        Assert.Single(controller.Registrations.Select(each => each.InstanceId).Distinct());
    }

    [Fact]
    public async Task Claims_nothing_more_when_a_newer_dispatcher_of_its_name_has_taken_over()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var controller = dispatcher.Controller;
        var running = TestOrders.Exec();
        controller.Submit(running);
        await Eventually.Async(() => controller.TypesOf(running.AttemptId).Contains("running"));
        controller.Supersede = true;
        controller.Submit();
        var beats = controller.Heartbeats.Count;
        await Eventually.Async(() => controller.Heartbeats.Count > beats + 1);
        var claims = controller.Claims.Count;
        controller.Submit(TestOrders.Inline());
        // What runs goes on to its end.
        dispatcher.Runtime.Exit(running.AttemptId, exitCode: 1);
        await controller.EndOfAsync(running.AttemptId);
        Assert.Equal(claims, controller.Claims.Count);
        Assert.Single(controller.Registrations);
    }

    [Fact]
    public async Task Takes_nothing_new_while_the_controller_says_drain()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var controller = dispatcher.Controller;
        await Eventually.Async(() => !controller.Claims.IsEmpty);
        controller.Drain = true;
        await Eventually.Async(() => controller.Heartbeats.Any(beat => beat.FreeSlots == 0));
        var first = TestOrders.Inline();
        controller.Submit(first); // the poll that is open may still be answered
        await controller.EndOfAsync(first.AttemptId);
        var claims = controller.Claims.Count;
        var order = TestOrders.Inline();
        controller.Submit(order);
        var beats = controller.Heartbeats.Count;
        await Eventually.Async(() => controller.Heartbeats.Count > beats + 1);
        Assert.Equal(claims, controller.Claims.Count);
        controller.Drain = false;
        await controller.EndOfAsync(order.AttemptId);
    }
}
