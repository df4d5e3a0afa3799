using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Dispatching.Questions;
using Kohakku.Controller.Dispatching.States;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Time.Testing;

namespace Kohakku.Tests.Controller.Dispatching;

public sealed class LifecycleTests(PostgresFixture postgres)
{
    [Fact]
    public async Task The_agents_failures_are_retried_up_to_maxAttempts_each_after_its_backoff()
    {
        var time = QueueFixture.FakeTime();
        await using var queue = await QueueFixture.CreateAsync(postgres, time);
        var task = Assert.Single(await queue.SubmitAsync(1, "max_attempts", "3"));
        var dispatcher = await queue.DispatcherAsync();
        for (var failure = 1; failure <= 2; failure++)
        {
            await FailAsync(queue, dispatcher, QueueFixture.Failed("agentExit"));
            Assert.Equal("scheduled", await queue.StatusAsync(task));
            Assert.True(await DueWithinAsync(queue, task, time, TimeSpan.FromSeconds(1 << failure - 1)));
            Assert.Empty(await queue.ClaimAsync(dispatcher));
            time.Advance(TimeSpan.FromSeconds(1 << failure - 1));
            Assert.Equal(1, await queue.Promotion.RunOnceAsync(CancellationToken.None));
            Assert.Equal(0, await queue.Promotion.RunOnceAsync(CancellationToken.None));
        }

        await FailAsync(queue, dispatcher, QueueFixture.Failed("agentExit"));
        Assert.Equal("failed", await queue.StatusAsync(task));
        Assert.Equal("3 0", await queue.ReadAsync("SELECT concat_ws(' ', agent_failures, infrastructure_faults) FROM tasks"));
    }

    [Fact]
    public async Task The_infrastructures_faults_are_retried_five_times_besides_unless_they_cannot_pass()
    {
        var time = QueueFixture.FakeTime();
        await using var queue = await QueueFixture.CreateAsync(postgres, time);
        var task = Assert.Single(await queue.SubmitAsync());
        var dispatcher = await queue.DispatcherAsync();
        for (var fault = 1; fault <= 5; fault++)
        {
            await FailAsync(queue, dispatcher, QueueFixture.Failed("startFailed"));
            Assert.Equal("scheduled", await queue.StatusAsync(task));
            time.Advance(TimeSpan.FromMinutes(1));
            await queue.Promotion.RunOnceAsync(CancellationToken.None);
        }

        await FailAsync(queue, dispatcher, QueueFixture.Failed("startFailed"));
        Assert.Equal("failed", await queue.StatusAsync(task));

        var noImage = Assert.Single(await queue.SubmitAsync(1, "max_attempts", "3"));
        await FailAsync(queue, dispatcher, QueueFixture.Failed("imagePull", transient: false));
        Assert.Equal("failed", await queue.StatusAsync(noImage));
    }

    [Fact]
    public async Task A_lost_attempt_is_ended_and_its_task_runs_again()
    {
        var time = QueueFixture.FakeTime();
        await using var queue = await QueueFixture.CreateAsync(postgres, time);
        var task = Assert.Single(await queue.SubmitAsync());
        var dispatcher = await queue.DispatcherAsync();
        var order = Assert.Single(await queue.ClaimAsync(dispatcher));
        await queue.ReportAsync(dispatcher, order.AttemptId, (1, "running", """{"runtimeId":"abc"}"""));

        Assert.Equal(0, await queue.Reaper.ReapAsync(CancellationToken.None));
        await queue.ExpireLeasesAsync();
        await queue.ExecuteAsync("UPDATE dispatchers SET last_heartbeat_at = now() - interval '1 minute'");
        Assert.Equal(1, await queue.Reaper.ReapAsync(CancellationToken.None));
        Assert.Equal("lost dispatcherLost", await queue.ReadAsync("SELECT concat_ws(' ', status, reason) FROM attempts"));
        Assert.Equal("scheduled 1", await queue.ReadAsync("SELECT concat_ws(' ', status, infrastructure_faults) FROM tasks"));

        time.Advance(TimeSpan.FromSeconds(2));
        await queue.Promotion.RunOnceAsync(CancellationToken.None);
        Assert.Equal(2, Assert.Single(await queue.ClaimAsync(dispatcher)).Number);
        Assert.Equal(task, order.TaskId);
    }

    [Fact]
    public async Task An_order_that_was_never_started_goes_back_and_burns_no_attempt()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await queue.SubmitAsync();
        var dispatcher = await queue.DispatcherAsync();
        await queue.ClaimAsync(dispatcher);
        await queue.ExpireLeasesAsync();
        Assert.Equal(1, await queue.Reaper.ReapAsync(CancellationToken.None));
        Assert.Equal("queued 0 0 1", await queue.ReadAsync("SELECT concat_ws(' ', status, agent_failures, infrastructure_faults, unstarted_claims) FROM tasks"));
        Assert.Equal(2, Assert.Single(await queue.ClaimAsync(dispatcher)).Number);
    }

    [Theory]
    [InlineData("retry", "queued")]
    [InlineData("fail", "failed")]
    public async Task With_onLost_ask_a_person_decides_once(string answer, string status)
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var task = Assert.Single(await queue.SubmitAsync(1, "on_lost", "'ask'"));
        var dispatcher = await queue.DispatcherAsync();
        var order = Assert.Single(await queue.ClaimAsync(dispatcher));
        await queue.ReportAsync(dispatcher, order.AttemptId, (1, "starting", null));
        await queue.ExpireLeasesAsync();
        await queue.Reaper.ReapAsync(CancellationToken.None);
        Assert.Equal("waiting", await queue.StatusAsync(task));
        Assert.Equal("lost {retry,fail}", await queue.ReadAsync("SELECT concat_ws(' ', kind, choices) FROM questions WHERE closed_at IS NULL"));

        var question = Guid.Parse((await queue.ReadAsync("SELECT id FROM questions"))!);
        Assert.True(await AnswerAsync(queue, task, question, answer));
        Assert.False(await AnswerAsync(queue, task, question, answer));
        Assert.Equal(status, await queue.StatusAsync(task));
    }

    [Fact]
    public async Task An_answer_reaches_the_agent_and_the_task_goes_on()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var task = Assert.Single(await queue.SubmitAsync());
        var dispatcher = await queue.DispatcherAsync();
        var order = Assert.Single(await queue.ClaimAsync(dispatcher));
        var question = Guid.NewGuid();
        await queue.ReportAsync(dispatcher, order.AttemptId, (1, "question", $$"""{"id":"{{question}}","prompt":"Which?","choices":null,"timeoutSeconds":null}"""));
        Assert.True(await AnswerAsync(queue, task, question, "the left one"));
        Assert.Equal("running", await queue.StatusAsync(task));
        Assert.Equal($"{question} answer the left one", await queue.ReadAsync("SELECT concat_ws(' ', id, kind, body) FROM attempt_messages"));
    }

    [Fact]
    public async Task An_unanswered_question_expires_and_the_task_goes_on()
    {
        var time = QueueFixture.FakeTime();
        await using var queue = await QueueFixture.CreateAsync(postgres, time);
        var task = Assert.Single(await queue.SubmitAsync());
        var dispatcher = await queue.DispatcherAsync();
        var order = Assert.Single(await queue.ClaimAsync(dispatcher));
        await queue.ReportAsync(dispatcher, order.AttemptId, (1, "question", $$"""{"id":"{{Guid.NewGuid()}}","prompt":"Which?","choices":null,"timeoutSeconds":30}"""));
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(0, await queue.Expiry.RunOnceAsync(CancellationToken.None));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, await queue.Expiry.RunOnceAsync(CancellationToken.None));
        Assert.Equal("running", await queue.StatusAsync(task));
        Assert.Equal("t t", await queue.ReadAsync("SELECT concat_ws(' ', closed_at IS NOT NULL, answered_at IS NULL) FROM questions"));
    }

    [Fact]
    public async Task Dependents_run_when_all_they_need_succeeded_and_are_canceled_down_the_line_when_one_did_not()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var needed = await queue.SubmitAsync(2);
        var ready = Assert.Single(await queue.SubmitAsync(1, "status, claimable, needs", $"'scheduled', false, ARRAY['{needed[0]}']::uuid[]"));
        var doomed = Assert.Single(await queue.SubmitAsync(1, "status, claimable, needs", $"'scheduled', false, ARRAY['{needed[0]}','{needed[1]}']::uuid[]"));
        var downstream = Assert.Single(await queue.SubmitAsync(1, "status, claimable, needs", $"'scheduled', false, ARRAY['{doomed}']::uuid[]"));
        var dispatcher = await queue.DispatcherAsync();
        var orders = (await queue.ClaimAsync(dispatcher, 2)).ToDictionary(order => order.TaskId);

        await queue.ReportAsync(dispatcher, orders[needed[0]].AttemptId, (1, "ended", QueueFixture.Succeeded));
        await DrainOutboxAsync(queue);
        Assert.Equal(("queued", "scheduled"), (await queue.StatusAsync(ready), await queue.StatusAsync(doomed)));

        await queue.ReportAsync(dispatcher, orders[needed[1]].AttemptId, (1, "ended", QueueFixture.Failed("agentExit")));
        await DrainOutboxAsync(queue);
        Assert.Equal(("canceled", "canceled"), (await queue.StatusAsync(doomed), await queue.StatusAsync(downstream)));
        Assert.Equal($"Task {needed[1]}, which it needs, ended failed.", await queue.ReadAsync($"SELECT failure->>'message' FROM tasks WHERE id = '{doomed}'"));
        Assert.Equal("0", await queue.ReadAsync("SELECT count(*) FROM outbox"));
    }

    [Fact]
    public async Task A_concurrency_keys_limit_is_never_exceeded_and_nothing_is_left_behind()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await queue.SubmitAsync(2, "concurrency_key, concurrency_limit", "'repo', 2");
        await queue.SubmitAsync(38, "concurrency_key, concurrency_limit, claimable", "'repo', 2, false");
        var most = 0;
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async number =>
        {
            var dispatcher = await queue.DispatcherAsync(name: $"racer-{number}");
            while (await queue.ReadAsync("SELECT count(*) FROM tasks WHERE status <> 'succeeded'") != "0")
            {
                foreach (var order in await queue.ClaimAsync(dispatcher, 3))
                {
                    var running = int.Parse((await queue.ReadAsync("SELECT count(*) FROM tasks WHERE status = 'running' OR claimable AND status = 'queued'"))!);
                    InterlockedMax(ref most, running);
                    await queue.ReportAsync(dispatcher, order.AttemptId, (1, "ended", QueueFixture.Succeeded));
                }

                await queue.Outbox.RunOnceAsync(CancellationToken.None);
            }
        }));
        Assert.Equal(2, most);
    }

    [Fact]
    public async Task Whatever_the_order_of_cancel_claim_and_end_the_task_ends_once()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var dispatcher = await queue.DispatcherAsync();
        foreach (var task in await queue.SubmitAsync(40))
        {
            var cancel = CancelAsync(queue, task);
            var run = Task.Run(async () =>
            {
                foreach (var order in await queue.ClaimAsync(dispatcher, 40))
                    await queue.ReportAsync(dispatcher, order.AttemptId, (1, "running", """{"runtimeId":"a"}"""), (2, "ended", QueueFixture.Succeeded));
            });
            await Task.WhenAll(cancel, run);
        }

        Assert.Equal("40", await queue.ReadAsync("SELECT count(*) FROM task_events WHERE type = 'task.ended'"));
        Assert.Equal("0", await queue.ReadAsync("SELECT count(*) FROM tasks WHERE status NOT IN ('succeeded', 'canceled')"));
        Assert.Equal("0", await queue.ReadAsync("SELECT count(*) FROM (SELECT task_id FROM task_events GROUP BY task_id HAVING max(id) - min(id) + 1 <> count(*)) gaps"));
    }

    [Fact]
    public async Task A_canceled_attempt_is_stopped_and_its_task_ends_canceled_without_another_try()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var task = Assert.Single(await queue.SubmitAsync(1, "max_attempts", "5"));
        var dispatcher = await queue.DispatcherAsync();
        var order = Assert.Single(await queue.ClaimAsync(dispatcher));
        await CancelAsync(queue, task);
        await CancelAsync(queue, task);
        Assert.Equal("running", await queue.StatusAsync(task));
        Assert.Equal("canceled", await queue.ReadAsync("SELECT stop_reason FROM attempts"));
        Assert.Equal("1", await queue.ReadAsync("SELECT count(*) FROM task_events WHERE type = 'task.canceling'"));

        await queue.ReportAsync(dispatcher, order.AttemptId, (1, "ended", QueueFixture.Failed("agentExit")));
        Assert.Equal("canceled", await queue.StatusAsync(task));
    }

    private static async Task FailAsync(QueueFixture queue, TestDispatcher dispatcher, string ended)
    {
        var order = Assert.Single(await queue.ClaimAsync(dispatcher));
        await queue.ReportAsync(dispatcher, order.AttemptId, (1, "ended", ended));
    }

    private static async Task<bool> DueWithinAsync(QueueFixture queue, Guid task, FakeTimeProvider time, TimeSpan atMost)
    {
        var due = DateTimeOffset.Parse((await queue.ReadAsync($"SELECT due_at FROM tasks WHERE id = '{task}'"))!, System.Globalization.CultureInfo.InvariantCulture);
        return due >= time.GetUtcNow() && due <= time.GetUtcNow() + atMost;
    }

    private static Task<bool> AnswerAsync(QueueFixture queue, Guid task, Guid question, string answer) => queue.Changes.OfTasksAsync(
        [task], skipBusy: false,
        locked => QuestionEndpoints.Answer(
            locked, new QuestionView(question, "question", task, null, null, "", [], default, null, null, null), answer, "someone"),
        CancellationToken.None);

    private static Task<bool> CancelAsync(QueueFixture queue, Guid task) => queue.Changes.OfTasksAsync(
        [task], skipBusy: false,
        locked =>
        {
            var standing = locked.Task(task)!;
            if (TaskMachine.Cancel(standing, locked.CurrentAttempt(standing)?.Standing, "someone", locked.Moment) is not { } transition) return false;
            if (transition.Effects.Count > 0) locked.Take(transition);
            return true;
        },
        CancellationToken.None);

    private static async Task DrainOutboxAsync(QueueFixture queue)
    {
        while (await queue.Outbox.RunOnceAsync(CancellationToken.None) > 0)
        {
        }
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while (value > (seen = Volatile.Read(ref target)) && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }
}
