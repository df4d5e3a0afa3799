using System.Net;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Tests.Fixtures;
using Kohakku.Workflows.Activities;
using Kohakku.Workflows.Interpreter;
using Temporalio.Client;
using Temporalio.Worker;

namespace Kohakku.Tests.EndToEnd;

/// <summary>Workflows as an operator has them: documents go in, agents work, people decide, results come out. On a whole installation with its Temporal server.</summary>
public sealed class WorkflowTests(WorkflowTests.Installation installation) : IClassFixture<WorkflowTests.Installation>
{
    private RunningKohakku Kohakku => installation.Running;

    [Fact]
    public async Task Every_kind_of_step_comes_to_its_end_and_hands_on_its_output()
    {
        using var receiver = new Receiver();
        await Kohakku.DefineAsync("name: child\ninputs: { n: { type: number, required: true } }\nsteps:\n  - { id: nap, wait: 1s }\noutputs: { twice: \"{{ inputs.n | times: 2 }}\" }\n");
        await Kohakku.DefineAsync(Pipeline);
        var run = await Kohakku.RunAsync("pipeline", $"{{\"url\":\"{receiver.Url}\"}}");
        await Kohakku.PostWellAsync($"runs/{run.Id}/signals/go", "{\"early\":true}");

        var asking = await Kohakku.WhenStepAsync(run.Id, "gate", StepState.Waiting);
        var question = JsonElement.Parse(await Kohakku.Api.GetStringAsync("/api/v1/questions?open=true", TestContext.Current.CancellationToken))
            .GetProperty("items").EnumerateArray().Single(open => open.GetProperty("runId").GetGuid() == run.Id);
        Assert.Equal(("approval", "Go on with 3 parts?"), (question.GetProperty("kind").GetString(), question.GetProperty("prompt").GetString()));
        Assert.Equal(asking.Step("gate").QuestionId, question.GetProperty("id").GetGuid());
        await Kohakku.PostWellAsync($"runs/{run.Id}/approvals/gate", "{\"decision\":\"approve\",\"comment\":\"fine\"}");
        using (var second = await Kohakku.PostAsync($"runs/{run.Id}/approvals/gate", "{\"decision\":\"reject\"}")) Assert.Equal(HttpStatusCode.Conflict, second.StatusCode);

        var ended = await Kohakku.EndOfRunAsync(run.Id);
        Assert.True(ended.Status == RunState.Succeeded, $"{ended.Status}: {ended.Failure}");
        Assert.Equal([StepState.Skipped, StepState.Skipped], new[] { "passed", "after_passed" }.Select(id => ended.Step(id).Status));
        var outputs = ended.Outputs!.Value;
        Assert.Equal("""[{"part":"a","index":0},{"part":"b","index":1},{"part":"c","index":2}]""", outputs.GetProperty("parts").GetRawText());
        Assert.Equal("approve by api-token: fine", outputs.GetProperty("gate").GetString());
        Assert.True(outputs.GetProperty("signal").GetProperty("early").GetBoolean());
        Assert.Equal(42, outputs.GetProperty("twice").GetInt32());
        Assert.Equal(1, outputs.GetProperty("best").GetProperty("candidate").GetInt32());
        Assert.Equal("""{"run":"RUN","count":3,"text":"3"}""".Replace("RUN", run.Id.ToString(), StringComparison.Ordinal), Assert.Single(receiver.Bodies));
        Assert.Equal(200, ended.Step("hook").Output!.Value.GetProperty("status").GetInt32());
        Assert.Equal((3, 4, 1), (ended.Step("parts").TaskIds.Count, ended.Step("best").TaskIds.Count, ended.Step("sub").RunIds.Count));
        await TimelineIsWholeAsync(run.Id);
        await ReplaysAsync(run.Id);
        var history = JsonElement.Parse(await Kohakku.Api.GetStringAsync($"/api/v1/runs/{run.Id}/history?limit=3", TestContext.Current.CancellationToken));
        Assert.Equal("WorkflowExecutionStarted", history.GetProperty("items")[0].GetProperty("type").GetString());
        Assert.Equal("3", history.GetProperty("nextCursor").GetString());
    }

    [Fact]
    public async Task A_thousand_items_are_done_once_each()
    {
        await Kohakku.DefineAsync("name: thousand\ninputs: { items: { type: array, required: true } }\nsteps:\n  - { id: all, for_each: \"{{ inputs.items }}\", agent: noop, brief: \"{{ item }}\" }\n");
        var run = await Kohakku.RunAsync("thousand", JsonSerializer.Serialize(new { items = Enumerable.Range(0, 1_000) }));
        var ended = await Kohakku.EndOfRunAsync(run.Id, TimeSpan.FromMinutes(2));
        Assert.Equal((RunState.Succeeded, 1_000, 0), (ended.Status, ended.Steps[0].Succeeded, ended.Steps[0].Failed));
        Assert.Equal(1_000, ended.Steps[0].TaskIds.Distinct().Count());
        await ReplaysAsync(run.Id);
    }

    [Fact]
    public async Task Cancel_reaches_agents_and_child_runs()
    {
        await Kohakku.DefineAsync("name: slow\nsteps:\n  - { id: work, agent: shell, brief: \"sleep 600\" }\n");
        await Kohakku.DefineAsync("name: outer\nsteps:\n  - { id: inner, workflow: slow }\n  - { id: work, agent: shell, brief: \"sleep 600\" }\n");
        var run = await Kohakku.RunAsync("outer");
        var begun = await Kohakku.WhenRunAsync(run.Id, view => view.Step("inner").RunIds.Count == 1 && view.Step("work").TaskIds.Count == 1);
        var inner = await Kohakku.WhenRunAsync(begun.Step("inner").RunIds[0], view => view.Step("work").TaskIds.Count == 1);
        Guid[] tasks = [begun.Step("work").TaskIds[0], inner.Step("work").TaskIds[0]];
        foreach (var task in tasks) await Kohakku.WhenAgentRunsAsync(task);

        await Kohakku.PostWellAsync($"runs/{run.Id}/cancel");

        Assert.Equal(RunState.Canceled, (await Kohakku.EndOfRunAsync(run.Id)).Status);
        Assert.Equal(RunState.Canceled, (await Kohakku.EndOfRunAsync(inner.Id)).Status);
        foreach (var task in tasks) Assert.Equal(TaskState.Canceled, (await Kohakku.EndOfAsync(task)).Status);
        foreach (var task in tasks) Assert.Empty(AgentProcesses.Of(task));
        using var again = await Kohakku.PostAsync($"runs/{run.Id}/cancel");
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
    }

    [Fact]
    public async Task A_failed_run_tells_why_and_is_run_again_from_there()
    {
        await Kohakku.DefineAsync(
            """
            name: fragile
            on_failure: tell
            steps:
              - { id: first, agent: shell, brief: "echo '{\"n\": 7}' > output/result.json" }
              - { id: second, needs: [first], agent: shell, brief: "echo '{\"n\": \"seven\"}' > output/result.json", output: { type: object, properties: { n: { type: integer } } } }
              - { id: third, needs: [second], agent: noop, brief: x }
              - { id: tell, agent: shell, brief: "echo '{{ run.failure | json }}' > output/result.json" }
            """);
        var failed = await Kohakku.EndOfRunAsync((await Kohakku.RunAsync("fragile")).Id);
        Assert.Equal((RunState.Failed, StepState.Failed, StepState.Skipped, StepState.Succeeded), (failed.Status, failed.Step("second").Status, failed.Step("third").Status, failed.Step("tell").Status));
        Assert.Equal("second", failed.Step("tell").Output!.Value.GetProperty("step").GetString());
        var misfit = (await Kohakku.TaskAsync(failed.Step("second").TaskIds[0])).Failure!;
        Assert.Equal((FailureReason.InvalidResult, "The output does not fit its schema: n must be a whole number."), (misfit.Reason, misfit.Message));

        using var answer = await Kohakku.PostAsync($"runs/{failed.Id}/retry");
        var again = await Kohakku.EndOfRunAsync((await RunningRuns.ReadAsync(answer)).Id);
        Assert.Equal(failed.Id, again.RetryOf);
        Assert.Empty(again.Step("first").TaskIds);
        Assert.Equal(7, again.Step("first").Output!.Value.GetProperty("n").GetInt32());
        Assert.Single(again.Step("second").TaskIds);
    }

    [Fact]
    public async Task A_paused_run_begins_nothing_until_it_is_resumed()
    {
        await Kohakku.DefineAsync("name: two-steps\nsteps:\n  - { id: one, signal: { name: go } }\n  - { id: two, needs: [one], agent: noop, brief: x }\n");
        var run = await Kohakku.RunAsync("two-steps");
        await Kohakku.WhenStepAsync(run.Id, "one", StepState.Waiting);
        await Kohakku.PostWellAsync($"runs/{run.Id}/pause");
        await Kohakku.WhenRunAsync(run.Id, view => view.Status == RunState.Paused);
        // What waits goes on waiting, and ends.
        await Kohakku.PostWellAsync($"runs/{run.Id}/signals/go");
        var paused = await Kohakku.WhenRunAsync(run.Id, view => view.Status == RunState.Paused && view.Step("one").Status == StepState.Succeeded);
        Assert.Equal(StepState.Pending, paused.Step("two").Status);
        await Kohakku.PostWellAsync($"runs/{run.Id}/resume");
        Assert.Equal(RunState.Succeeded, (await Kohakku.EndOfRunAsync(run.Id)).Status);
        Assert.Equal(["run.created", "run.started", "run.paused", "run.signal", "run.resumed", "run.ended"], (await Kohakku.RunTimelineAsync(run.Id)).Select(entry => entry.Type).Where(type => type.StartsWith("run.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task An_approval_is_answered_from_the_inbox_too()
    {
        await Kohakku.DefineAsync("name: asked\nsteps:\n  - { id: gate, approval: { prompt: \"Well?\" } }\n");
        var run = await Kohakku.RunAsync("asked");
        var question = (await Kohakku.WhenStepAsync(run.Id, "gate", StepState.Waiting)).Step("gate").QuestionId;
        using (var wrong = await Kohakku.PostAsync($"questions/{question}/answer", "{\"answer\":\"perhaps\"}")) Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        await Kohakku.PostWellAsync($"questions/{question}/answer", "{\"answer\":\"reject\"}");
        var ended = await Kohakku.EndOfRunAsync(run.Id);
        Assert.Equal((RunState.Failed, "Step 'gate' failed. It was rejected."), (ended.Status, ended.Failure));
    }

    [Fact]
    public async Task Runs_of_one_concurrency_key_wait_for_each_other()
    {
        await Kohakku.DefineAsync("name: one-by-one\ninputs: { repo: string }\nconcurrency: { key: \"{{ inputs.repo }}\", limit: 1 }\nsteps:\n  - { id: go, signal: { name: go } }\n");
        var first = await Kohakku.RunAsync("one-by-one", "{\"repo\":\"a\"}");
        var second = await Kohakku.RunAsync("one-by-one", "{\"repo\":\"a\"}");
        var other = await Kohakku.RunAsync("one-by-one", "{\"repo\":\"b\"}");
        await Kohakku.WhenStepAsync(first.Id, "go", StepState.Waiting);
        await Kohakku.WhenStepAsync(other.Id, "go", StepState.Waiting);
        Assert.Contains("concurrency key", (await Kohakku.RunOfAsync(second.Id)).WaitReason, StringComparison.Ordinal);
        await Kohakku.PostWellAsync($"runs/{first.Id}/signals/go");
        await Kohakku.WhenStepAsync(second.Id, "go", StepState.Waiting);
        foreach (var run in (Guid[])[second.Id, other.Id]) await Kohakku.PostWellAsync($"runs/{run}/cancel");
    }

    [Fact]
    public async Task A_document_with_faults_is_refused_with_the_place_of_each()
    {
        using var answer = await Kohakku.PutAsync("wrong", "name: wrong\nsteps:\n  - { id: a, agent: noop, brief: \"{{ steps.b.output }}\", nedds: [b] }\n  - { id: a, wait: never }\n");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var faults = JsonElement.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("faults");
        Assert.Equal([3, 3, 4, 4], faults.EnumerateArray().Select(fault => fault.GetProperty("line").GetInt32()).Order());
        Assert.All(faults.EnumerateArray(), fault => Assert.True(fault.GetProperty("column").GetInt32() > 1));
        using var missing = await Kohakku.Api.GetAsync("/api/v1/workflows/wrong", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task Versions_stay_inputs_are_checked_and_a_repeated_start_is_one_run()
    {
        Assert.Equal(1, await Kohakku.DefineAsync("name: versioned\ninputs: { n: { type: integer, required: true } }\nsteps:\n  - { id: a, agent: noop, brief: one }\noutputs: { v: 1 }\n"));
        Assert.Equal(2, await Kohakku.DefineAsync("name: versioned\ninputs: { n: { type: integer, required: true } }\nsteps:\n  - { id: a, agent: noop, brief: one }\noutputs: { v: 2 }\n"));
        Assert.Equal(2, await Kohakku.DefineAsync("name: versioned\ninputs: { n: { type: integer, required: true } }\nsteps:\n  - { id: a, agent: noop, brief: one }\noutputs: { v: 2 }\n"));
        using (var wrong = await Kohakku.PostAsync("workflows/versioned/runs", "{\"inputs\":{\"n\":\"x\",\"m\":1}}"))
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
            var errors = JsonElement.Parse(await wrong.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("errors");
            Assert.Equal(["inputs.m", "inputs.n"], errors.EnumerateObject().Select(error => error.Name).Order());
        }

        var ids = new List<Guid>();
        for (var time = 0; time < 2; time++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/workflows/versioned/runs") { Content = new StringContent("{\"inputs\":{\"n\":1},\"version\":1}", null, "application/json") };
            request.Headers.Add("Idempotency-Key", "versioned-1");
            using var answer = await Kohakku.Api.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(time == 0 ? HttpStatusCode.Created : HttpStatusCode.OK, answer.StatusCode);
            ids.Add((await RunningRuns.ReadAsync(answer)).Id);
        }

        Assert.Equal(ids[0], ids[1]);
        Assert.Equal(1, (await Kohakku.EndOfRunAsync(ids[0])).Outputs!.Value.GetProperty("v").GetInt32());
        using var plan = await Kohakku.PostAsync("workflows/versioned/check", "{\"inputs\":{\"n\":1}}");
        Assert.Equal(1, JsonElement.Parse(await plan.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("maxTasks").GetInt32());
    }

    [Fact]
    public async Task A_workflow_of_ones_own_in_code_gives_agents_tasks()
    {
        var client = await Kohakku.TemporalAsync();
        using var api = TaskActivities.Client(Kohakku.Api.BaseAddress!, Kohakku.Api.DefaultRequestHeaders.Authorization!.Parameter!);
        var options = new TemporalWorkerOptions("reviews").AddWorkflow<ReviewWorkflow>().AddAllActivities(new TaskActivities(api));
        using var worker = new TemporalWorker(client, options);
        var text = await worker.ExecuteAsync(() => client.ExecuteWorkflowAsync(
            (ReviewWorkflow workflow) => workflow.RunAsync("durability"), new WorkflowOptions($"review-{Guid.NewGuid()}", "reviews")), TestContext.Current.CancellationToken);
        Assert.Equal("On durability, reviewed 2 times", text);
    }

    private async Task TimelineIsWholeAsync(Guid id)
    {
        var timeline = await Kohakku.RunTimelineAsync(id);
        Assert.Equal(Enumerable.Range(1, timeline.Count).Select(number => (long)number), timeline.Select(entry => entry.Id));
        Assert.Single(timeline, entry => entry.Type == "run.ended");
        Assert.All(timeline.Where(entry => entry.Type == "step.ended").GroupBy(entry => entry.Step), step => Assert.Single(step));
    }

    private async Task ReplaysAsync(Guid id)
    {
        var histories = await Kohakku.HistoriesAsync(id);
        Assert.NotEmpty(histories);
        var replayer = new WorkflowReplayer(new WorkflowReplayerOptions().AddWorkflow<RunWorkflow>());
        foreach (var history in histories) await replayer.ReplayWorkflowAsync(history);
    }

    private const string Pipeline =
        """
        name: pipeline
        inputs:
          url: { type: string, required: true }
          parts: { type: array, default: [a, b, c] }
        steps:
          - id: parts
            for_each: "{{ inputs.parts }}"
            max_parallel: 2
            agent: shell
            brief: "echo '{\"part\": \"{{ item }}\", \"index\": {{ index }}}' > output/result.json"
          - { id: passed, needs: [parts], if: "{{ steps.parts.failed > 0 }}", agent: noop, brief: x }
          - { id: after_passed, needs: [passed], agent: noop, brief: x }
          - id: gate
            needs: [parts]
            approval: { prompt: "Go on with {{ steps.parts.succeeded }} parts?", timeout: 1h }
          - { id: signal, needs: [gate], signal: { name: go } }
          - { id: sub, needs: [signal], workflow: child, with: { n: 21 } }
          - id: best
            needs: [gate]
            agent: shell
            brief: "echo '{\"candidate\": 1}' > output/result.json"
            best_of:
              count: 3
              judge: { agent: shell, brief: "echo '{{ candidates | json }}'; echo '{\"winner\": 1}' > output/result.json" }
          - id: hook
            needs: [parts, gate]
            webhook: { url: "{{ inputs.url }}", body: { run: "{{ run.id }}", count: "{{ steps.parts.succeeded }}", text: "{{ steps.parts.outputs | size }}{{ '' }}" } }
        outputs:
          parts: "{{ steps.parts.outputs }}"
          gate: "{{ steps.gate.output.decision }} by {{ steps.gate.output.by }}: {{ steps.gate.output.comment }}"
          signal: "{{ steps.signal.output }}"
          twice: "{{ steps.sub.output.twice }}"
          best: "{{ steps.best.output }}"
        """;

    public sealed class Installation : IAsyncLifetime
    {
        internal RunningKohakku Running { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Running = await RunningKohakku.StartAsync("process", new Dictionary<string, string?> { ["WEBHOOKS_ALLOW_PRIVATE"] = "true" });

        public async ValueTask DisposeAsync()
        {
            if (Running is not null) await Running.DisposeAsync();
        }
    }

    /// <summary>Somebody else's server, which answers every webhook with 200 but the first, with 503.</summary>
    private sealed class Receiver : IDisposable
    {
        private readonly HttpListener _listener = new();
        private int _calls;

        public Receiver()
        {
            Url = $"http://127.0.0.1:{Ports.Next()}/";
            _listener.Prefixes.Add(Url);
            _listener.Start();
            _ = AnswerAsync();
        }

        public string Url { get; }
        public List<string> Bodies { get; } = [];

        public void Dispose() => _listener.Close();

        private async Task AnswerAsync()
        {
            while (_listener.IsListening)
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var body = await reader.ReadToEndAsync();
                var refused = Interlocked.Increment(ref _calls) == 1;
                if (!refused) Bodies.Add(body);
                context.Response.StatusCode = refused ? 503 : 200;
                context.Response.Close();
            }
        }
    }
}
