using System.Collections.Concurrent;
using Kohakku.Controller.Dispatching.Claiming;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Controller.Dispatching;

public sealed class ClaimTests(PostgresFixture postgres)
{
    [Fact]
    public async Task Twenty_claimers_share_five_thousand_tasks_without_claiming_one_twice()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var submitted = await queue.SubmitAsync(5_000);
        ConcurrentBag<Guid> claimed = [];
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async number =>
        {
            var dispatcher = await queue.DispatcherAsync(name: $"claimer-{number}");
            var slots = 1 + number * 7 % 40;
            ClaimResult result;
            do
            {
                result = await queue.TryClaimAsync(dispatcher, slots);
                foreach (var order in result.Orders) claimed.Add(order.TaskId);
            }
            while (result.Orders.Count > 0 || result.Passed);
        }));

        Assert.Equal(submitted.Order(), claimed.Order());
        Assert.Equal("5000", await queue.ReadAsync("SELECT count(*) FROM attempts"));
        Assert.Equal("5000", await queue.ReadAsync("SELECT count(*) FROM task_events WHERE type = 'attempt.claimed' AND id = 3"));
    }

    [Fact]
    public async Task Higher_priority_comes_first_and_then_age()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var old = Assert.Single(await queue.SubmitAsync(1, "priority, queued_at", "0, now() - interval '1 hour'"));
        var young = Assert.Single(await queue.SubmitAsync(1, "priority, queued_at", "0, now() - interval '1 minute'"));
        var urgent = Assert.Single(await queue.SubmitAsync(1, "priority, queued_at", "50, now()"));
        var lazy = Assert.Single(await queue.SubmitAsync(1, "priority, queued_at", "-50, now() - interval '2 hours'"));
        var dispatcher = await queue.DispatcherAsync();

        List<Guid> order = [];
        while (await queue.ClaimAsync(dispatcher) is [var claimed]) order.Add(claimed.TaskId);
        Assert.Equal([urgent, old, young, lazy], order);
    }

    [Fact]
    public async Task A_project_with_a_long_backlog_does_not_hold_up_another()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var (project, agent) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await queue.AddProjectAsync(project, "small", agent);
        await queue.SubmitAsync(500, "queued_at", "now() - interval '1 hour'");
        var small = await queue.SubmitAsync(5, project: project, agent: agent);
        var dispatcher = await queue.DispatcherAsync();

        // In one claim for many, and in many claims for one.
        var many = await queue.ClaimAsync(dispatcher, 4);
        Assert.Equal(2, many.Count(order => small.Contains(order.TaskId)));
        List<Guid> single = [];
        for (var claim = 0; claim < 6; claim++) single.Add(Assert.Single(await queue.ClaimAsync(dispatcher)).TaskId);
        Assert.Equal(3, single.Count(small.Contains));
    }

    [Fact]
    public async Task A_task_goes_only_where_all_its_labels_are()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var gpu = Assert.Single(await queue.SubmitAsync(1, "labels", """'{"gpu":"true","zone":"a"}'"""));
        var plain = Assert.Single(await queue.SubmitAsync());
        var poor = await queue.DispatcherAsync("""{"zone":"a"}""", "poor");
        var rich = await queue.DispatcherAsync("""{"zone":"a","gpu":"true","disk":"ssd"}""", "rich");

        Assert.Equal(plain, Assert.Single(await queue.ClaimAsync(poor, 10)).TaskId);
        Assert.Empty(await queue.ClaimAsync(poor, 10));
        Assert.Equal(gpu, Assert.Single(await queue.ClaimAsync(rich, 10)).TaskId);
    }

    [Fact]
    public async Task A_repeated_request_gets_the_same_orders_and_no_others()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await queue.SubmitAsync(5);
        var dispatcher = await queue.DispatcherAsync();
        var request = Guid.NewGuid();

        var first = await queue.TryClaimAsync(dispatcher, 2, request);
        var again = await queue.TryClaimAsync(dispatcher, 2, request);
        Assert.Equal(first.Orders.Select(order => (order.AttemptId, order.Token)), again.Orders.Select(order => (order.AttemptId, order.Token)));
        Assert.Equal("2", await queue.ReadAsync("SELECT count(*) FROM attempts"));

        // Also where the first is still under way.
        var racing = Guid.NewGuid();
        var both = await Task.WhenAll(queue.TryClaimAsync(dispatcher, 3, racing), queue.TryClaimAsync(dispatcher, 3, racing));
        Assert.Equal(both[0].Orders.Select(order => order.AttemptId).Order(), both[1].Orders.Select(order => order.AttemptId).Order());
        Assert.Equal("5", await queue.ReadAsync("SELECT count(*) FROM attempts"));
    }

    [Fact]
    public async Task A_superseded_session_and_a_draining_dispatcher_get_nothing()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await queue.SubmitAsync();
        var dispatcher = await queue.DispatcherAsync();

        Assert.Equal(ClaimVerdict.Superseded, (await queue.TryClaimAsync(dispatcher with { Session = Guid.NewGuid() })).Verdict);
        Assert.Equal(ClaimVerdict.UnknownDispatcher, (await queue.TryClaimAsync(dispatcher with { Id = Guid.NewGuid() })).Verdict);
        await queue.ExecuteAsync("UPDATE dispatchers SET draining = true");
        Assert.Empty(await queue.ClaimAsync(dispatcher));
        await queue.ExecuteAsync("UPDATE dispatchers SET draining = false, superseded_by = gen_random_uuid()");
        Assert.Empty(await queue.ClaimAsync(dispatcher));
        Assert.Equal("queued", await queue.ReadAsync("SELECT status FROM tasks"));
    }

    [Fact]
    public async Task What_is_not_claimable_stays()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await queue.SubmitAsync(1, "claimable", "false");
        await queue.SubmitAsync(1, "status", "'scheduled'");
        Assert.Empty(await queue.ClaimAsync(await queue.DispatcherAsync(), 10));
    }

    [Fact]
    public async Task An_order_holds_everything_to_run_it()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var plain = Assert.Single(await queue.SubmitAsync(1, "inputs, network, resources, trace_parent",
            """'{"a":[1]}', '{"mode":"internet","allow":null}', '{"cpu":2,"memoryMb":null,"pids":null}', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'"""));
        var dispatcher = await queue.DispatcherAsync();
        var order = Assert.Single(await queue.ClaimAsync(dispatcher));
        Assert.Equal(plain, order.TaskId);
        Assert.Equal(("true", (string?)null), (order.Brief.Text, order.Brief.Url));
        Assert.Equal("""{"a":[1]}""", order.Inputs?.GetRawText());
        Assert.Equal("registry.test/agents/shell", order.Agent.Image);
        Assert.Equal(Kohakku.Contracts.Tasks.NetworkMode.Internet, order.Agent.Network.Mode);
        Assert.Equal((2.0, 512), (order.Resources.Cpu, order.Resources.MemoryMb));
        Assert.Equal(43, order.Token.Length);
        Assert.NotNull(order.TraceParent);

        await queue.ExecuteAsync("DELETE FROM tasks");
        var large = Assert.Single(await queue.SubmitAsync(1, "inputs", "NULL"));
        await queue.ExecuteAsync("""UPDATE tasks SET brief = NULL, inputs_stored = true, skills = '[{"name":"git","version":2,"digest":"abc"}]'""");
        order = Assert.Single(await queue.ClaimAsync(dispatcher));
        Assert.Contains($"briefs/{large}/brief.md", order.Brief.Url, StringComparison.Ordinal);
        Assert.Contains($"briefs/{large}/inputs.json", order.InputsUrl, StringComparison.Ordinal);
        Assert.Contains("skills/git/abc.zip", Assert.Single(order.Skills).Url, StringComparison.Ordinal);
    }
}
