using System.Text.Json;
using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Dispatching.States;
using Kohakku.Controller.Dispatching.Steering;
using Kohakku.Controller.Failures;
using Kohakku.Controller.Identity;
using Kohakku.Tests.Controller.Dispatching;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Controller.Failures;

/// <summary>From a dispatcher's report to the group, on a real database.</summary>
public sealed class FailureTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Groups = "SELECT string_agg(concat_ws(' ', agent_name, reason, kind, status, count, tasks), '; ' ORDER BY agent_name, id) FROM failure_groups";
    private QueueFixture _queue = null!;
    private TestDispatcher _dispatcher = null!;
    private FailureQueries _queries = null!;
    private FailureSteering _steering = null!;
    private Caller _caller = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _queue = await QueueFixture.CreateAsync(postgres);
        _dispatcher = await _queue.DispatcherAsync();
        _queries = new FailureQueries(_queue.Database, _queue.Time);
        _steering = new FailureSteering(_queue.Database, new TaskSteering(_queue.Changes), _queue.Time);
        _caller = new Caller(_queue.Project, "default", Role.Operator, "tester");
    }

    public ValueTask DisposeAsync() => _queue.DisposeAsync();

    [Fact]
    public async Task The_same_error_of_two_tasks_is_one_failure_and_that_of_another_agent_another()
    {
        var one = await FailAsync("error: row 17 is missing");
        var other = await FailAsync("error: row 4711 is missing");
        await FailAsync("error: row 4711 is missing", agent: "writer");
        await DeliverAsync();
        Assert.Equal("shell agentExit agent open 2 2; writer agentExit agent open 1 1", await _queue.ReadAsync(Groups));

        var page = await _queries.ListAsync(_queue.Project, new FailureFilter { Agent = "shell" }, Cancel);
        var group = Assert.Single(page.Items);
        Assert.Equal(("error: row 17 is missing", 2, 2L, 24), (group.Title, group.Trend.Sum(), group.Tasks, group.Trend.Count));
        Assert.Equal(new FailureExample(other, 1, "starting\nerror: row 4711 is missing"), group.Example);
        Assert.Equal(2, (await _queries.FindAsync(_queue.Project, group.Id, Cancel))!.Days!.Sum());
        Assert.Equal([other, one], (await _queries.TasksAsync(_queue.Project, group.Id, null, 10, Cancel))!.Items.Select(task => task.TaskId));
    }

    [Fact]
    public async Task A_message_that_comes_twice_is_counted_once()
    {
        await FailAsync("error: once");
        await DeliverAsync();
        await _queue.ExecuteAsync(
            """
            INSERT INTO outbox (kind, payload, created_at, due_at, tries)
            SELECT 'failure', jsonb_build_object('attemptIds', jsonb_agg(id)), now() - interval '1 minute', now() - interval '1 minute', 0 FROM attempts
            """);
        await DeliverAsync();
        Assert.Equal("shell agentExit agent open 1 1", await _queue.ReadAsync(Groups));
        Assert.Equal("1", await _queue.ReadAsync("SELECT sum(count) FROM failure_hours"));
    }

    [Fact]
    public async Task Two_controllers_that_count_the_same_attempts_at_once_count_each_once()
    {
        for (var failure = 0; failure < 8; failure++) await FailAsync($"error: {(failure % 2 == 0 ? "even" : "odd")} {failure}");
        var payload = (await _queue.ReadAsync("SELECT jsonb_build_object('attemptIds', jsonb_agg(id)) FROM attempts"))!;
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => _queue.Failures.HandleAsync(new(1, "failure", null, payload, 0), Cancel))));
        Assert.Equal("shell agentExit agent open 4 4; shell agentExit agent open 4 4", await _queue.ReadAsync(Groups));
        Assert.Equal("8", await _queue.ReadAsync("SELECT sum(count) FROM failure_hours"));
    }

    [Fact]
    public async Task Every_attempt_of_a_task_counts_the_task_once()
    {
        await _queue.SubmitAsync(1, "max_attempts", "2");
        await FailClaimedAsync("error: x");
        await _queue.ExecuteAsync("UPDATE tasks SET status = 'queued', claimable = true, due_at = NULL, queued_at = now()");
        await FailClaimedAsync("error: x");
        await DeliverAsync();
        Assert.Equal("shell agentExit agent open 2 1", await _queue.ReadAsync(Groups));
        var task = Assert.Single((await _queries.TasksAsync(_queue.Project, await GroupAsync(), null, 10, Cancel))!.Items);
        Assert.Equal((2, 2, TaskState.Failed), (task.Attempts, task.LastAttempt, task.Status));
    }

    [Fact]
    public async Task Success_and_what_a_person_canceled_leave_nothing()
    {
        await _queue.SubmitAsync(2);
        var orders = await _queue.ClaimAsync(_dispatcher, slots: 2);
        await _queue.ReportAsync(_dispatcher, orders[0].AttemptId, (1, "ended", QueueFixture.Succeeded));
        await new TaskSteering(_queue.Changes).CancelAsync(orders[1].TaskId, _caller, Cancel);
        await _queue.ReportAsync(_dispatcher, orders[1].AttemptId, (1, "ended", QueueFixture.Failed("agentExit")));
        Assert.Equal("0", await _queue.ReadAsync("SELECT count(*) FROM outbox WHERE kind = 'failure'"));
        await DeliverAsync();
        Assert.Null(await _queue.ReadAsync(Groups));
    }

    [Fact]
    public async Task What_the_infrastructure_broke_is_told_apart()
    {
        await _queue.SubmitAsync(2);
        var orders = await _queue.ClaimAsync(_dispatcher, slots: 2);
        await _queue.ReportAsync(_dispatcher, orders[0].AttemptId, (1, "ended", QueueFixture.Failed("startFailed")));
        await _queue.ReportAsync(_dispatcher, orders[1].AttemptId, (1, "starting", null));
        await _queue.ExpireLeasesAsync();
        Assert.Equal(1, await _queue.Reaper.ReapAsync(Cancel));
        await DeliverAsync();
        var found = await _queries.ListAsync(_queue.Project, new FailureFilter { Kind = FailureKind.Infrastructure }, Cancel);
        Assert.Equal([FailureReason.StartFailed, FailureReason.DispatcherLost], found.Items.Select(group => group.Reason).Order());
        Assert.Empty((await _queries.ListAsync(_queue.Project, new FailureFilter { Kind = FailureKind.Agent }, Cancel)).Items);
    }

    [Fact]
    public async Task What_was_resolved_is_open_again_when_it_fails_after_that()
    {
        await FailAsync("error: back");
        await DeliverAsync();
        var id = await GroupAsync();
        Assert.Null((await _steering.AcknowledgeAsync(id, _caller, Cancel))!.Refusal);
        await FailAsync("error: back");
        await DeliverAsync();
        Assert.Equal("shell agentExit agent acknowledged 2 2", await _queue.ReadAsync(Groups));

        Assert.Null((await _steering.ResolveAsync(id, _caller, Cancel))!.Refusal);
        Assert.NotNull((await _steering.AcknowledgeAsync(id, _caller, Cancel))!.Refusal);
        Assert.NotNull((await _steering.ResolveAsync(id, _caller, Cancel))!.Refusal);
        await FailAsync("error: back");
        await DeliverAsync();
        var group = (await _queries.FindAsync(_queue.Project, id, Cancel))!;
        Assert.Equal((FailureGroupState.Open, 3L, "tester", (string?)null), (group.Status, group.Count, group.ResolvedBy, group.AcknowledgedBy));
        Assert.True(group.ReopenedAt >= group.ResolvedAt);
    }

    [Fact]
    public async Task An_end_from_before_that_is_told_late_opens_nothing()
    {
        await FailAsync("error: late");
        await DeliverAsync();
        await FailAsync("error: late");
        Assert.NotNull(await _steering.ResolveAsync(await GroupAsync(), _caller, Cancel));
        await DeliverAsync();
        Assert.Equal("shell agentExit agent resolved 2 2", await _queue.ReadAsync(Groups));
    }

    [Fact]
    public async Task A_retry_runs_what_ended_so_again_and_nothing_else()
    {
        var first = await FailAsync("error: mended");
        var second = await FailAsync("error: mended");
        var again = await FailAsync("error: mended");
        await new TaskSteering(_queue.Changes).RetryAsync(again, _caller, Cancel);
        await FailClaimedAsync("error: quite another");
        await FailAsync("error: quite another");
        await DeliverAsync();
        var id = Guid.Parse((await _queue.ReadAsync("SELECT id FROM failure_groups WHERE title = 'error: mended'"))!);

        Assert.Equal(2, await _steering.RetryAsync(id, _caller, Cancel));
        Assert.Equal(0, await _steering.RetryAsync(id, _caller, Cancel));
        Assert.Equal(("queued", "queued", "failed"), (await _queue.StatusAsync(first), await _queue.StatusAsync(second), await _queue.StatusAsync(again)));
        Assert.Equal("2", await _queue.ReadAsync($"SELECT generation FROM tasks WHERE id = '{first}'"));
        Assert.Contains(TimelineTypes.Retried, await _queue.TimelineAsync(first));
        Assert.Null(await _steering.RetryAsync(id, _caller with { ProjectId = Guid.NewGuid() }, Cancel));
    }

    [Fact]
    public async Task A_change_of_the_agent_between_its_last_success_and_the_first_failure_is_named()
    {
        await _queue.SubmitAsync();
        var good = Assert.Single(await _queue.ClaimAsync(_dispatcher));
        await _queue.ReportAsync(_dispatcher, good.AttemptId, (1, "ended", QueueFixture.Succeeded));
        await _queue.ExecuteAsync("UPDATE agents SET updated_at = clock_timestamp()");
        await FailAsync("error: since the change");
        await DeliverAsync();
        var id = await GroupAsync();
        var changed = (await _queries.FindAsync(_queue.Project, id, Cancel))!.Changed!;
        Assert.Equal(good.TaskId, changed.LastSuccessTaskId);
        Assert.True(changed.AgentUpdatedAt > changed.LastSuccessAt);

        await _queue.ExecuteAsync("UPDATE agents SET updated_at = clock_timestamp()");
        Assert.Null((await _queries.FindAsync(_queue.Project, id, Cancel))!.Changed!.AgentUpdatedAt);
    }

    [Fact]
    public async Task Pages_of_failures_and_of_their_tasks_skip_nothing_and_repeat_nothing()
    {
        foreach (var word in (string[])["one", "two", "three", "four", "five"]) await FailAsync($"error: {word}");
        for (var more = 0; more < 4; more++) await FailAsync("error: one");
        await DeliverAsync();
        List<string> titles = [];
        for (var filter = new FailureFilter { Limit = 2 }; ;)
        {
            var page = await _queries.ListAsync(_queue.Project, filter, Cancel);
            titles.AddRange(page.Items.Select(group => group.Title));
            if (page.NextCursor is null) break;
            filter = filter with { After = (page.Items[^1].LastSeen, page.Items[^1].Id) };
        }

        Assert.Equal(["error: one", "error: five", "error: four", "error: three", "error: two"], titles);
        var id = Guid.Parse((await _queue.ReadAsync("SELECT id FROM failure_groups WHERE title = 'error: one'"))!);
        var head = (await _queries.TasksAsync(_queue.Project, id, null, 3, Cancel))!;
        var rest = (await _queries.TasksAsync(_queue.Project, id, head.Items[^1].TaskId, 3, Cancel))!;
        Assert.Equal((3, 2, 5), (head.Items.Count, rest.Items.Count, head.Items.Concat(rest.Items).DistinctBy(task => task.TaskId).Count()));
        Assert.True(head.NextCursor is not null && rest.NextCursor is null);
    }

    [Fact]
    public async Task A_failure_outlives_its_tasks()
    {
        await FailAsync("error: gone");
        await DeliverAsync();
        await _queue.ExecuteAsync("DELETE FROM tasks");
        var group = (await _queries.FindAsync(_queue.Project, await GroupAsync(), Cancel))!;
        Assert.Equal((1L, (FailureExample?)null), (group.Count, group.Example));
    }

    /// <summary>A new task fails; answers it.</summary>
    private async Task<Guid> FailAsync(string error, string agent = "shell")
    {
        var task = Assert.Single(await _queue.SubmitAsync());
        await _queue.ExecuteAsync($"UPDATE tasks SET agent_name = '{agent}' WHERE id = '{task}'");
        await FailClaimedAsync(error);
        return task;
    }

    private async Task FailClaimedAsync(string error)
    {
        var order = Assert.Single(await _queue.ClaimAsync(_dispatcher));
        var ended = JsonSerializer.Serialize(new
        {
            status = "failed", reason = "agentExit", exitCode = 1, message = "The agent ended with exit code 1.", output = (string?)null,
            logTail = $"starting\n{error}", transient = false,
        });
        var reported = await _queue.ReportAsync(_dispatcher, order.AttemptId, (1, "running", """{"runtimeId":"r"}"""), (2, "ended", ended));
        Assert.Equal(2, reported.AcceptedThrough);
    }

    private async Task DeliverAsync()
    {
        while (await _queue.Outbox.RunOnceAsync(Cancel) > 0)
        {
        }

        Assert.Equal("0", await _queue.ReadAsync("SELECT count(*) FROM outbox"));
    }

    private async Task<Guid> GroupAsync() => Guid.Parse((await _queue.ReadAsync("SELECT id FROM failure_groups"))!);
}
