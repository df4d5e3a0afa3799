using System.Text.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Webhooks;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Dispatching.Steering;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Status;
using Kohakku.Controller.Webhooks;
using Kohakku.Tests.Controller.Data;
using Kohakku.Tests.Controller.Dispatching;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kohakku.Tests.Controller.Webhooks;

/// <summary>What happens, and which webhooks hear of it.</summary>
public sealed class WebhookEventTests(PostgresFixture postgres) : IAsyncLifetime
{
    private QueueFixture _queue = null!;
    private WebhookRegistry _registry = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _queue = await QueueFixture.CreateAsync(postgres);
        _registry = new WebhookRegistry(ControllerDatabases.Of(_queue.Database), new WebhookSecrets(QueueFixture.Options), _queue.Time);
    }

    public ValueTask DisposeAsync() => _queue.DisposeAsync();

    [Fact]
    public async Task Each_end_of_a_task_is_told_once_to_those_who_want_it()
    {
        var other = Guid.CreateVersion7();
        await _queue.AddProjectAsync(other, "other", Guid.CreateVersion7());
        await PutAsync("some", ["task.failed", "task.timedOut"]);
        await PutAsync("kind", ["task.*"]);
        await PutAsync("all", ["*"]);
        await PutAsync("runs", ["run.*"]);
        await PutAsync("off", ["*"], enabled: false);
        await PutAsync("elsewhere", ["*"], project: other);
        var tasks = await _queue.SubmitAsync(2);
        var dispatcher = await _queue.DispatcherAsync();
        var orders = await _queue.ClaimAsync(dispatcher, slots: 2);
        await _queue.ReportAsync(dispatcher, orders[0].AttemptId, (1, "ended", QueueFixture.Succeeded));
        await _queue.ReportAsync(dispatcher, orders[1].AttemptId, (1, "running", """{"runtimeId":"abc"}"""), (2, "ended", QueueFixture.Failed("agentError", transient: false)));
        // What is told late of an ended task is no other end of it.
        await _queue.ReportAsync(dispatcher, orders[1].AttemptId, (3, "usage", """{"model":"m","inputTokens":1,"outputTokens":1,"costUsd":0.5}"""));

        Assert.Equal(["all task.failed", "all task.succeeded", "kind task.failed", "kind task.succeeded", "some task.failed"], await ToldAsync());
        Assert.Equal("2", await _queue.ReadAsync("SELECT count(DISTINCT id) FROM webhook_deliveries"));
        var failed = tasks.Single(task => task == orders[1].TaskId);
        var data = JsonElement.Parse((await _queue.ReadAsync("SELECT data FROM webhook_deliveries WHERE type = 'task.failed' LIMIT 1"))!);
        Assert.Equal(
            (failed, "A task", "shell", "failed", 1, "agentError", "It broke."),
            (data.GetProperty("taskId").GetGuid(), data.GetProperty("title").GetString(), data.GetProperty("agent").GetString(), data.GetProperty("status").GetString(),
                data.GetProperty("attempts").GetInt32(), data.GetProperty("failure").GetProperty("reason").GetString(), data.GetProperty("failure").GetProperty("message").GetString()));
        Assert.True(data.GetProperty("endedAt").GetDateTimeOffset() >= data.GetProperty("createdAt").GetDateTimeOffset());

        // Run again, it ends again.
        var steering = new TaskSteering(_queue.Changes);
        await steering.RetryAsync(failed, new Caller(_queue.Project, "default", Role.Admin, "test"), Token);
        await steering.CancelAsync(failed, new Caller(_queue.Project, "default", Role.Admin, "test"), Token);
        Assert.Equal("all kind", await _queue.ReadAsync("SELECT string_agg(w.name, ' ' ORDER BY w.name) FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id WHERE d.type = 'task.canceled'"));
    }

    [Fact]
    public async Task A_question_is_told_when_it_is_asked()
    {
        await PutAsync("one", ["question.opened"]);
        var task = Assert.Single(await _queue.SubmitAsync());
        var dispatcher = await _queue.DispatcherAsync();
        var order = Assert.Single(await _queue.ClaimAsync(dispatcher));
        var question = Guid.NewGuid();
        await _queue.ReportAsync(dispatcher, order.AttemptId, (1, "running", """{"runtimeId":"abc"}"""), (2, "question", $$"""{"id":"{{question}}","prompt":"Which?","choices":["a","b"],"timeoutSeconds":60}"""));
        Assert.Equal(["one question.opened"], await ToldAsync());
        Assert.Equal($"{question} {task} Which? [\"a\",\"b\"]", await _queue.ReadAsync("SELECT concat_ws(' ', data->>'questionId', data->>'taskId', data->>'prompt', data->>'choices') FROM webhook_deliveries"));
    }

    [Fact]
    public async Task A_failure_is_told_when_it_is_new_and_when_it_comes_back()
    {
        await PutAsync("one", ["failure.*"]);
        var dispatcher = await _queue.DispatcherAsync();
        await FailAsync(3);
        Assert.Equal(["one failure.opened"], await ToldAsync());
        await FailAsync(1);
        Assert.Single(await ToldAsync());
        await _queue.ExecuteAsync("UPDATE failure_groups SET status = 'resolved', resolved_at = now(), resolved_by = 'test'");
        await FailAsync(1);
        Assert.Equal(["one failure.opened", "one failure.reopened"], await ToldAsync());
        Assert.Equal("5", await _queue.ReadAsync("SELECT data->>'count' FROM webhook_deliveries WHERE type = 'failure.reopened'"));

        async Task FailAsync(int count)
        {
            await _queue.SubmitAsync(count);
            foreach (var order in await _queue.ClaimAsync(dispatcher, count)) await _queue.ReportAsync(dispatcher, order.AttemptId, (1, "ended", QueueFixture.Failed("agentError")));
            while (await _queue.Outbox.RunOnceAsync(Token) > 0)
            {
            }
        }
    }

    [Fact]
    public async Task A_dispatcher_that_falls_silent_is_told_to_every_project()
    {
        var other = Guid.CreateVersion7();
        await _queue.AddProjectAsync(other, "other", Guid.CreateVersion7());
        await PutAsync("here", ["dispatcher.offline"]);
        await PutAsync("there", ["dispatcher.*"], project: other);
        await _queue.DispatcherAsync(name: "lonely");
        using var status = new DispatcherStatus(_queue.Database, _queue.Time, NullLogger<DispatcherStatus>.Instance);
        await status.RunOnceAsync(Token);
        Assert.Empty(await ToldAsync());
        await _queue.ExecuteAsync("UPDATE dispatchers SET last_heartbeat_at = clock_timestamp() - interval '20 seconds'");
        Assert.Equal(1, await status.RunOnceAsync(Token));
        await _queue.ExecuteAsync("UPDATE dispatchers SET last_heartbeat_at = clock_timestamp() - interval '1 day'");
        Assert.Equal(1, await status.RunOnceAsync(Token));
        Assert.Equal(0, await status.RunOnceAsync(Token));
        Assert.Equal(["here dispatcher.offline", "there dispatcher.offline", "there dispatcher.unreachable"], await ToldAsync());
        Assert.Equal("lonely", await _queue.ReadAsync("SELECT DISTINCT data->>'name' FROM webhook_deliveries"));
    }

    [Fact]
    public async Task An_outage_is_told_at_its_beginning_and_its_end()
    {
        await PutAsync("one", ["service.*"]);
        var record = new ProbeRecord(_queue.Database, _queue.Time);
        foreach (var healthy in (bool[])[true, false, false, true, true])
            await record.WriteAsync([new ProbeResult("redis", healthy, healthy ? null : "It is away.", TimeSpan.Zero), new ProbeResult("temporal", true, null, TimeSpan.Zero)], Token);
        Assert.Equal(["one service.down", "one service.recovered"], await ToldAsync());

        // The database's own, which every scheduler tells of when it is back.
        var from = _queue.Time.GetUtcNow() - TimeSpan.FromMinutes(1);
        await Parallel.ForAsync(0, 5, Token, async (_, token) => await record.WritePastAsync("database", from, "It was away.", token));
        Assert.Equal("1", await _queue.ReadAsync("SELECT count(*) FROM outages WHERE name = 'database'"));
        Assert.Equal(["one service.down", "one service.recovered", "one service.recovered"], await ToldAsync());
    }

    private async Task PutAsync(string name, string[] events, bool enabled = true, Guid? project = null) =>
        await _registry.PutAsync(project ?? _queue.Project, name, new PutWebhook { Url = "http://127.0.0.1:9/", Events = events, Enabled = enabled }, Token);

    private async Task<string[]> ToldAsync() =>
        (await _queue.ReadAsync("SELECT string_agg(w.name || ' ' || d.type, ',' ORDER BY w.name, d.type) FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id"))?.Split(',') ?? [];
}
