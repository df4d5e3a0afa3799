using Kohakku.Contracts.Dispatching;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Controller.Dispatching;

public sealed class CallbackTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_whole_life_ends_in_success_with_a_gapless_timeline()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var (dispatcher, order) = await StartAsync(queue);
        var result = await queue.ReportAsync(
            dispatcher, order.AttemptId, (1, "starting", null), (2, "running", """{"runtimeId":"abc"}"""),
            (3, "usage", """{"model":"m","inputTokens":10,"outputTokens":2,"costUsd":0.5}"""),
            (4, "artifact", """{"path":"out.txt","size":3,"sha256":"aa","contentType":"text/plain"}"""), (5, "ended", QueueFixture.Succeeded));

        Assert.Equal(new CallbackResult(order.AttemptId, 5, CallbackOrder.Continue), result);
        Assert.Equal(
            ["attempt.claimed", "attempt.starting", "attempt.running", "attempt.usage", "attempt.artifact", "attempt.ended", "task.ended"],
            await queue.TimelineAsync(order.TaskId));
        Assert.Equal("3..9", await queue.ReadAsync("SELECT min(id) || '..' || max(id) FROM task_events"));
        Assert.Equal(
            "succeeded {\"n\": 1} 10 2 0.5 t t",
            await queue.ReadAsync("SELECT concat_ws(' ', status, output, input_tokens, output_tokens, cost_usd, started_at IS NOT NULL, ended_at IS NOT NULL) FROM tasks"));
        Assert.Equal("succeeded 5 abc 0 bye", await queue.ReadAsync("SELECT concat_ws(' ', status, applied_sequence, runtime_id, exit_code, log_tail) FROM attempts"));
        Assert.Equal("out.txt", await queue.ReadAsync("SELECT path FROM artifacts"));
    }

    [Fact]
    public async Task A_doubled_batch_is_acknowledged_and_does_nothing()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var (dispatcher, order) = await StartAsync(queue);
        (long, string, string?)[] events = [(1, "starting", null), (2, "running", """{"runtimeId":"abc"}"""), (3, "ended", QueueFixture.Succeeded)];
        var first = await queue.ReportAsync(dispatcher, order.AttemptId, events);
        var before = await queue.TimelineAsync(order.TaskId);
        Assert.Equal(first, await queue.ReportAsync(dispatcher, order.AttemptId, events));
        Assert.Equal(before, await queue.TimelineAsync(order.TaskId));
    }

    [Fact]
    public async Task Reordered_events_are_sorted_and_a_gap_is_refused_from_the_gap_on()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var (dispatcher, order) = await StartAsync(queue);
        var result = await queue.ReportAsync(
            dispatcher, order.AttemptId, (4, "ended", QueueFixture.Succeeded), (2, "running", """{"runtimeId":"abc"}"""), (1, "starting", null));
        Assert.Equal(new CallbackResult(order.AttemptId, 2, CallbackOrder.Continue), result);
        Assert.Equal("running", await queue.StatusAsync(order.TaskId));

        result = await queue.ReportAsync(dispatcher, order.AttemptId, (3, "message", """{"text":"hi"}"""), (4, "ended", QueueFixture.Succeeded));
        Assert.Equal(4, result.AcceptedThrough);
        Assert.Equal("succeeded", await queue.StatusAsync(order.TaskId));
    }

    [Fact]
    public async Task Foreign_unknown_and_stale_attempts_are_told_to_stop()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var (dispatcher, order) = await StartAsync(queue);
        var other = await queue.DispatcherAsync(name: "other");
        var unknown = Guid.NewGuid();

        Assert.Equal(new CallbackResult(order.AttemptId, 0, CallbackOrder.Stop), await queue.ReportAsync(other, order.AttemptId, (1, "starting", null)));
        Assert.Equal(new CallbackResult(unknown, 0, CallbackOrder.Stop), await queue.ReportAsync(dispatcher, unknown, (1, "starting", null)));
        Assert.Null(await queue.Receiver.ApplyAsync(new CallbackBatch(Guid.NewGuid(), []), CancellationToken.None));

        await queue.ReportAsync(dispatcher, order.AttemptId, (1, "starting", null));
        await queue.ExpireLeasesAsync();
        Assert.Equal(1, await queue.Reaper.ReapAsync(CancellationToken.None));
        Assert.Equal(
            new CallbackResult(order.AttemptId, 1, CallbackOrder.Stop),
            await queue.ReportAsync(dispatcher, order.AttemptId, (1, "starting", null), (2, "ended", QueueFixture.Succeeded)));
        Assert.Equal("scheduled", await queue.StatusAsync(order.TaskId));
    }

    [Fact]
    public async Task A_bad_event_loses_its_attempt_and_no_other()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await queue.SubmitAsync(3);
        var dispatcher = await queue.DispatcherAsync();
        var orders = await queue.ClaimAsync(dispatcher, 3);
        AttemptEvent[] events =
        [
            queue.Event(orders[0].AttemptId, 1, "starting"), queue.Event(orders[0].AttemptId, 2, "ended", QueueFixture.Succeeded),
            queue.Event(orders[1].AttemptId, 1, "starting"), queue.Event(orders[1].AttemptId, 2, "running", """{"runtimeId":7}"""), queue.Event(orders[1].AttemptId, 3, "ended", QueueFixture.Succeeded),
            // Valid JSON, but no number that PostgreSQL holds.
            queue.Event(orders[2].AttemptId, 1, "starting"), queue.Event(orders[2].AttemptId, 2, "progress", """{"percent":1e999999}"""),
        ];
        var answer = await queue.ReportAsync(dispatcher, events);

        Assert.Equal(
            [
                new CallbackResult(orders[0].AttemptId, 2, CallbackOrder.Continue), new CallbackResult(orders[1].AttemptId, 1, CallbackOrder.Stop),
                new CallbackResult(orders[2].AttemptId, 0, CallbackOrder.Stop),
            ],
            answer.Results);
        Assert.Equal("succeeded", await queue.StatusAsync(orders[0].TaskId));
        Assert.Equal("scheduled", await queue.StatusAsync(orders[1].TaskId));
        Assert.Equal("scheduled", await queue.StatusAsync(orders[2].TaskId));
        Assert.Contains("event 2 ('running')", await queue.ReadAsync($"SELECT message FROM attempts WHERE id = '{orders[1].AttemptId}'"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_database_cannot_hold_is_cleaned()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var (dispatcher, order) = await StartAsync(queue);
        var result = await queue.ReportAsync(
            dispatcher, order.AttemptId, (1, "message", """{"text":"a\u0000b\\u0000c\ud83d!\ud83d\ude00"}"""),
            (2, "ended", """{"status":"succeeded","reason":null,"exitCode":0,"message":"x\u0000y","output":{"k\u0000":"\udc00"},"logTail":"\u0000"}"""));
        Assert.Equal(2, result.AcceptedThrough);
        Assert.Equal("a\ufffdb\\u0000c\ufffd!\U0001f600", await queue.ReadAsync("SELECT data->>'text' FROM task_events WHERE type = 'attempt.message'"));
        Assert.Equal("x\ufffdy \ufffd", await queue.ReadAsync("SELECT message || ' ' || log_tail FROM attempts"));
    }

    [Fact]
    public async Task An_unknown_type_is_stored_acknowledged_and_shown()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var (dispatcher, order) = await StartAsync(queue);
        Assert.Equal(1, (await queue.ReportAsync(dispatcher, order.AttemptId, (1, "teleported", """{"to":"mars"}"""))).AcceptedThrough);
        Assert.Equal("mars", await queue.ReadAsync("SELECT data->>'to' FROM task_events WHERE type = 'attempt.teleported' AND attempt = 1"));
    }

    [Fact]
    public async Task A_question_makes_the_task_wait_and_its_end_closes_it()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var (dispatcher, order) = await StartAsync(queue);
        var question = Guid.NewGuid();
        await queue.ReportAsync(
            dispatcher, order.AttemptId, (1, "running", """{"runtimeId":"abc"}"""),
            (2, "question", $$"""{"id":"{{question}}","prompt":"Which?","choices":["a","b"],"timeoutSeconds":60}"""));
        Assert.Equal("waiting", await queue.StatusAsync(order.TaskId));
        Assert.Equal("{a,b} t t", await queue.ReadAsync("SELECT concat_ws(' ', choices, closed_at IS NULL, expires_at > asked_at) FROM questions"));

        await queue.ReportAsync(dispatcher, order.AttemptId, (3, "ended", QueueFixture.Failed("agentExit")));
        Assert.Equal("failed", await queue.StatusAsync(order.TaskId));
        Assert.Equal("false", await queue.ReadAsync("SELECT closed_at IS NULL FROM questions"));
        Assert.Equal("agentExit It broke. 3 oh", await queue.ReadAsync(
            "SELECT concat_ws(' ', failure->>'reason', failure->>'message', failure->>'exitCode', failure->>'logTail') FROM tasks"));
    }

    private static async Task<(TestDispatcher Dispatcher, AttemptOrder Order)> StartAsync(QueueFixture queue)
    {
        await queue.SubmitAsync();
        var dispatcher = await queue.DispatcherAsync();
        return (dispatcher, Assert.Single(await queue.ClaimAsync(dispatcher)));
    }
}
