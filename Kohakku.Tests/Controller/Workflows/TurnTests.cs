using System.Text.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Webhooks;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.Controller.Webhooks;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.Controller.Workflows.Turns;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Controller.Data;
using Kohakku.Tests.Controller.Dispatching;
using Kohakku.Tests.Fixtures;
using Kohakku.Workflows.Activities;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kohakku.Tests.Controller.Workflows;

/// <summary>What a turn writes, on a real database; there is no Temporal, the test says what it would.</summary>
public sealed class TurnTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Document =
        """
        name: test
        steps:
          - { id: one, agent: shell, brief: x }
          - { id: gate, approval: { prompt: "Well?", timeout: 1h, on_timeout: approve } }
          - { id: best, agent: shell, brief: x, best_of: { count: 2, judge: { agent: shell, brief: j } } }
        """;

    private QueueFixture _queue = null!;
    private TurnCommit _turns = null!;
    private RunAnswers _answers = null!;
    private RunLoading _loading = null!;
    private Guid _run;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _queue = await QueueFixture.CreateAsync(postgres);
        var (database, time) = (_queue.Database, _queue.Time);
        var storage = new ObjectStorage(new ObjectStorageOptions(new Uri("http://127.0.0.1:9"), "key", "secret", "us-east-1", "kohakku"), time);
        var creation = new RunCreation(database, time);
        _turns = new TurnCommit(
            database, new UnitTasks(database, new AgentDirectory(database, time), new TaskIds(time), time), new ChildRuns(creation),
            new TaskPayloads(storage, NullLogger<TaskPayloads>.Instance), _queue.Feed, _queue.Signals, time);
        _answers = new RunAnswers(database, _queue.Feed, _queue.Signals, time);
        _loading = new RunLoading(database, time);
        var definition = DefinitionReader.Read(Document).Definition!;
        var workflow = Guid.CreateVersion7();
        await _queue.ExecuteAsync($"INSERT INTO workflows (id, project_id, name, latest_version, created_at, updated_at) VALUES ('{workflow}', '{_queue.Project}', 'test', 1, now(), now())");
        await _queue.ExecuteAsync($"INSERT INTO workflow_versions (workflow_id, version, source, canonical, created_by, created_at) VALUES ('{workflow}', 1, '', $c${CanonicalForm.Write(definition)}$c$, 'test', now())");
        var submission = new RunSubmission(database, creation, _queue.Feed, _queue.Signals, time);
        var made = await submission.StartAsync("test", new StartRun(), new Caller(_queue.Project, "default", Role.Admin, "test"), null, Cancellation);
        _run = Assert.IsType<RunOutcome.Made>(made).Id;
    }

    public ValueTask DisposeAsync() => _queue.DisposeAsync();

    [Fact]
    public async Task A_turn_that_is_tried_often_and_at_once_makes_its_tasks_once_and_answers_the_same()
    {
        var commit = Opening(1, Task(0));
        var answers = await System.Threading.Tasks.Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _turns.CommitAsync(_run, commit, Cancellation)));
        Assert.All(answers, answer => Assert.Equal(JsonSerializer.Serialize(answers[0]!.Result), JsonSerializer.Serialize(answer!.Result)));
        Assert.Equal("1", await _queue.ReadAsync($"SELECT count(*) FROM tasks WHERE run_id = '{_run}'"));
        Assert.Equal("1", await _queue.ReadAsync($"SELECT count(*) FROM run_events WHERE run_id = '{_run}' AND type = 'run.started'"));
        Assert.Equal("running", await _queue.ReadAsync($"SELECT status FROM runs WHERE id = '{_run}'"));
    }

    [Fact]
    public async Task What_went_ahead_of_a_turn_is_not_done_again_with_it()
    {
        await _turns.CommitAsync(_run, Opening(1, Task(0)) with { Partial = true }, Cancellation);
        Assert.Equal("pending", await _queue.ReadAsync($"SELECT status FROM runs WHERE id = '{_run}'"));
        var loaded = await _loading.LoadAsync(_run, new LoadRun(1, [], [0], [], []), Cancellation);
        Assert.Equal((0, 1), (Assert.Single(loaded!.Items).Step, loaded.Items[0].Count));
        Assert.NotNull((await _turns.CommitAsync(_run, Opening(1, Task(0)), Cancellation))!.Result);
        Assert.Equal("1", await _queue.ReadAsync($"SELECT count(*) FROM tasks WHERE run_id = '{_run}'"));
    }

    [Fact]
    public async Task A_task_that_can_not_be_is_a_fault_of_its_unit()
    {
        var wrong = Task(0) with { Task = new SubmitTask { Agent = "nobody", Brief = "x" } };
        var fault = Assert.Single((await _turns.CommitAsync(_run, Opening(1, wrong), Cancellation))!.Result!.Faults);
        Assert.Equal((0, 0, 1, "There is no agent 'nobody' in this project."), (fault.Step, fault.Item, fault.Attempt, fault.Message));
    }

    [Fact]
    public async Task The_end_of_a_task_is_noted_for_its_run_with_what_a_judge_said()
    {
        await _turns.CommitAsync(_run, Opening(1, Task(0), new NewUnit(2, 0, 1, 2) { Task = new SubmitTask { Agent = "shell", Brief = "j" } }), Cancellation);
        var dispatcher = await _queue.DispatcherAsync();
        foreach (var order in await _queue.ClaimAsync(dispatcher, 2))
            await _queue.ReportAsync(dispatcher, order.AttemptId, (1, "running", """{"runtimeId":"1"}"""), (2, "ended", QueueFixture.Succeeded.Replace("{\"n\":1}", "{\"winner\":1}", StringComparison.Ordinal)));
        Assert.Equal(
            """[{"item": 0, "part": 0, "step": 0, "state": "succeeded", "attempt": 1}, {"item": 0, "part": 2, "step": 2, "state": "succeeded", "winner": 1, "attempt": 1}]""",
            await _queue.ReadAsync($"SELECT jsonb_agg(payload ORDER BY payload->'step') FROM run_inbox WHERE run_id = '{_run}' AND kind = 'ended'"));
        Assert.Equal("1", await _queue.ReadAsync($"SELECT count(DISTINCT payload) FROM outbox WHERE kind = 'run.inbox' AND payload->>'runId' = '{_run}'"));
    }

    [Fact]
    public async Task Of_a_person_and_the_time_out_the_first_decides()
    {
        await _turns.CommitAsync(_run, Opening(1, Approval()), Cancellation);
        Assert.Equal(Answered.Done, await _answers.DecideAsync(_queue.Project, _run, "gate", approve: false, "no", "somebody", Cancellation));
        Assert.Equal(Answered.TooLate, await _answers.DecideAsync(_queue.Project, _run, "gate", approve: true, null, "somebody else", Cancellation));
        var late = await _turns.CommitAsync(_run, new CommitTurn { Turn = new Turn { RunId = _run, Sequence = 2, Expire = [1] }, Result = new TurnResult() }, Cancellation);
        var decision = Assert.Single(late!.Result!.Decided);
        Assert.Equal((1, false, "no"), (decision.Step, decision.Approve, decision.Comment));

        var loaded = await _loading.LoadAsync(_run, new LoadRun(3, [1], [], [], [new UnitRecord(1, 0, 1, StepState.Succeeded)]), Cancellation);
        var output = Assert.Single(loaded!.Values).Outputs[0]!.Value;
        Assert.Equal(("reject", "somebody", "no"), (output.GetProperty("decision").GetString(), output.GetProperty("by").GetString(), output.GetProperty("comment").GetString()));
    }

    [Fact]
    public async Task A_time_out_that_nobody_came_before_decides_as_the_step_says()
    {
        await _turns.CommitAsync(_run, Opening(1, Approval()), Cancellation);
        var expire = new CommitTurn { Turn = new Turn { RunId = _run, Sequence = 2, Expire = [1] }, Result = new TurnResult() };
        var decided = Assert.Single((await _turns.CommitAsync(_run, expire, Cancellation))!.Result!.Decided);
        Assert.Equal((true, "nobody decided in time"), (decided.Approve, decided.Comment));
        Assert.Equal(Answered.TooLate, await _answers.DecideAsync(_queue.Project, _run, "gate", approve: false, null, "somebody", Cancellation));
    }

    [Fact]
    public async Task A_run_that_has_ended_takes_no_more_turns()
    {
        await _turns.CommitAsync(_run, new CommitTurn { Turn = new Turn { RunId = _run, Sequence = 1, Run = RunState.Failed, Failure = "why" }, Result = new TurnResult() }, Cancellation);
        Assert.Equal("failed why", await _queue.ReadAsync($"SELECT status || ' ' || failure FROM runs WHERE id = '{_run}'"));
        Assert.Null(await _turns.CommitAsync(_run, Opening(2, Task(0)), Cancellation));
        Assert.Equal("0", await _queue.ReadAsync($"SELECT count(*) FROM tasks WHERE run_id = '{_run}'"));
        Assert.Equal(Answered.TooLate, await _answers.SignalAsync(_queue.Project, _run, Guid.NewGuid(), "go", JsonElement.Parse("{}"), "somebody", Cancellation));
    }

    [Fact]
    public async Task Approvals_and_ends_are_told_to_webhooks()
    {
        await new WebhookRegistry(ControllerDatabases.Of(_queue.Database), new WebhookSecrets(QueueFixture.Options), _queue.Time)
            .PutAsync(_queue.Project, "one", new PutWebhook { Url = "http://127.0.0.1:9/", Events = ["run.*", "question.opened"] }, Cancellation);
        await _turns.CommitAsync(_run, Opening(1, Approval()), Cancellation);
        await _turns.CommitAsync(_run, new CommitTurn { Turn = new Turn { RunId = _run, Sequence = 2, Run = RunState.Failed, Failure = "why" }, Result = new TurnResult() }, Cancellation);
        var unbegun = Guid.CreateVersion7();
        await _queue.ExecuteAsync(
            $"""
            INSERT INTO runs SELECT (jsonb_populate_record(r, jsonb_build_object('id', '{unbegun}', 'status', 'pending', 'handed_at', NULL, 'ended_at', NULL, 'failure', NULL))).* FROM runs r WHERE id = '{_run}'
            """);
        var ending = new RunEnding(_queue.Database, _queue.Feed, _queue.Signals, _queue.Time);
        Assert.True(await ending.EndUnbegunAsync(unbegun, "somebody", Cancellation));
        Assert.False(await ending.EndUnbegunAsync(unbegun, "somebody", Cancellation));
        Assert.Equal(
            $"question.opened gate Well?|run.canceled {unbegun} Canceled by somebody.|run.failed {_run} why",
            await _queue.ReadAsync(
                """
                SELECT string_agg(concat_ws(' ', type, CASE WHEN type = 'question.opened' THEN data->>'stepId' ELSE data->>'runId' END, data->>'failure', data->>'prompt'), '|' ORDER BY type)
                FROM webhook_deliveries
                """));
    }

    private static NewUnit Task(int step) => new(step, 0, 1, 0) { Counts = true, Task = new SubmitTask { Agent = "shell", Brief = "x" } };

    private NewUnit Approval() => new(1, 0, 1, 0) { Counts = true, Approval = new NewApproval("Well?", _queue.Time.GetUtcNow().AddHours(1), ApproveOnTimeout: true) };

    private CommitTurn Opening(int sequence, params NewUnit[] units)
    {
        int[] steps = [.. units.Select(unit => unit.Step).Distinct()];
        return new CommitTurn
        {
            Turn = new Turn
            {
                RunId = _run, Sequence = sequence, Run = RunState.Running, Open = [.. steps.Select(step => new OpenStep(step, 1, 100))],
                Steps = [.. steps.Select(step => new StepRecord(step, StepState.Running, 1, 0, 0))],
            },
            Result = new TurnResult { Opened = [.. steps.Select(step => new StepOpened(step, Skipped: false, 1))] },
            Opened = [.. steps.Select(step => new LoadedItems(step, Skipped: false, 1, null))],
            Units = units,
        };
    }
}
