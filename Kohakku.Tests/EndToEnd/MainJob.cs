using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.EndToEnd;

/// <summary>The main job as an operator does it, on one runtime: a brief goes in, an agent does it, the result comes out.</summary>
public abstract class MainJob(MainJob.Installation installation)
{
    private RunningKohakku Kohakku => installation.Running;

    [Fact]
    public async Task A_brief_over_a_real_source_tree_leaves_a_report_a_result_and_its_log()
    {
        var task = await Kohakku.SubmitAsync(new SubmitTask { Agent = "shell", Title = "Count lines", Brief = SourceTree.CountLines, Inputs = await SourceTree.AsInputsAsync() });
        Assert.Equal(TaskState.Queued, task.Status);

        var log = await Kohakku.LogAsync(task.Id, "?follow=true");
        var ended = await Kohakku.EndOfAsync(task.Id);

        Assert.True(ended.Status == TaskState.Succeeded, $"{ended.Status}: {ended.Failure?.Message}\n{ended.Failure?.LogTail}");
        var (cs, csproj) = (SourceTree.LinesOf(".cs"), SourceTree.LinesOf(".csproj"));
        Assert.Contains($"counted cs: {cs}\n", log, StringComparison.Ordinal);
        Assert.Equal(cs + csproj, ended.Output!.Value.GetProperty("total").GetInt32());
        Assert.Equal($"# Lines by language\n- cs: {cs}\n- csproj: {csproj}\n", await Kohakku.Api.GetStringAsync($"/api/v1/tasks/{task.Id}/artifacts/report.md", TestContext.Current.CancellationToken));
        Assert.Equal(log, await Kohakku.LogAsync(task.Id));
        var types = (await Kohakku.TimelineAsync(task.Id)).Select(entry => entry.Type).ToList();
        Assert.Equal(["task.submitted", "task.queued", "attempt.claimed"], types.Take(3));
        Assert.Equal("task.ended", types[^1]);
        Assert.Contains("attempt.running", types);
    }

    [Fact]
    public async Task A_failing_brief_fails_with_its_exit_code_and_the_end_of_its_log()
    {
        var task = await Kohakku.SubmitAsync(new SubmitTask { Agent = "shell", Brief = "echo working\necho 'the disk is on fire' >&2\nexit 3\n" });
        var ended = await Kohakku.EndOfAsync(task.Id);
        Assert.Equal((TaskState.Failed, FailureReason.AgentExit, 3), (ended.Status, ended.Failure!.Reason, ended.Failure.ExitCode));
        Assert.Contains("the disk is on fire", ended.Failure.LogTail, StringComparison.Ordinal);
        Assert.Single(ended.Attempts);
    }

    [Fact]
    public async Task A_failing_brief_is_tried_as_often_as_it_may_be()
    {
        var task = await Kohakku.SubmitAsync(new SubmitTask { Agent = "shell", Brief = "exit 1\n", MaxAttempts = 2 });
        var ended = await Kohakku.EndOfAsync(task.Id);
        Assert.Equal(TaskState.Failed, ended.Status);
        Assert.Equal([AttemptState.Failed, AttemptState.Failed], ended.Attempts.Select(attempt => attempt.Status));
    }

    [Fact]
    public async Task A_brief_that_takes_too_long_is_stopped_may_tidy_up_and_says_so()
    {
        const string Brief = "trap 'echo tidied; echo half > output/half.txt; exit 7' TERM\necho started\nwhile :; do sleep 0.1; done\n";
        var task = await Kohakku.SubmitAsync(new SubmitTask { Agent = "shell", Brief = Brief, TimeoutSeconds = 2 });
        var ended = await Kohakku.EndOfAsync(task.Id);
        Assert.Equal((TaskState.TimedOut, FailureReason.Timeout, 7), (ended.Status, ended.Failure!.Reason, ended.Failure.ExitCode));
        Assert.Equal("started\ntidied\n", string.Join("", ended.Failure.LogTail!.Split('\n').Where(line => line is "started" or "tidied").Select(line => line + "\n")));
        Assert.DoesNotContain("token", ended.Failure.LogTail, StringComparison.Ordinal);
        Assert.Equal("half\n", await Kohakku.Api.GetStringAsync($"/api/v1/tasks/{task.Id}/artifacts/half.txt", TestContext.Current.CancellationToken));
        await installation.NothingRunsAsync(task.Id);
    }

    [Fact]
    public async Task A_cancelled_brief_is_stopped_with_all_that_it_started()
    {
        var task = await Kohakku.SubmitAsync(new SubmitTask { Agent = "shell", Brief = "sleep 601 &\nsleep 602 &\nwait\n" });
        await Kohakku.WhenAsync(task.Id, TaskState.Running);
        await Kohakku.CancelAsync(task.Id);
        var ended = await Kohakku.EndOfAsync(task.Id);
        Assert.Equal(TaskState.Canceled, ended.Status);
        await installation.NothingRunsAsync(task.Id);
    }

    [Fact]
    public async Task An_unknown_agent_is_refused_by_name_and_nothing_is_written()
    {
        using var answer = await Kohakku.Api.PostAsJsonAsync(
            "/api/v1/tasks", new SubmitTask { Agent = "nobody", Brief = "x", Tags = ["unknown-agent"] }, ContractsJson.Default.SubmitTask, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Contains("nobody", problem.GetProperty("errors").GetProperty("agent")[0].GetString(), StringComparison.Ordinal);
        var page = await Kohakku.Api.GetFromJsonAsync("/api/v1/tasks?tag=unknown-agent", ContractsJson.Default.PageTaskView, TestContext.Current.CancellationToken);
        Assert.Empty(page!.Items);
    }

    [Fact]
    public async Task A_batch_of_inline_tasks_ends_each_exactly_once()
    {
        var batch = new SubmitTaskBatch { Tasks = [.. Enumerable.Range(0, 300).Select(number => new SubmitTask { Agent = "noop", Brief = $"{number}", Tags = ["batch"] })] };
        using var answer = await Kohakku.Api.PostAsJsonAsync("/api/v1/tasks/batch", batch, ContractsJson.Default.SubmitTaskBatch, TestContext.Current.CancellationToken);
        var tasks = (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.ItemsOfTaskView, TestContext.Current.CancellationToken))!.Items;
        Assert.Equal(Enumerable.Range(0, 300).Select(number => $"{number}"), tasks.Select(task => task.Brief));
        foreach (var task in tasks)
        {
            var ended = await Kohakku.EndOfAsync(task.Id);
            Assert.Equal((TaskState.Succeeded, 1), (ended.Status, ended.Attempts.Count));
            Assert.Single(await Kohakku.TimelineAsync(task.Id), entry => entry.Type == "task.ended");
        }
    }

    /// <summary>One installation for all tests of a runtime.</summary>
    public abstract class Installation(string backend) : IAsyncLifetime
    {
        private RunningKohakku? running;

        internal RunningKohakku Running => running ?? throw new InvalidOperationException("It is not started.");

        public virtual async ValueTask InitializeAsync() => running = await RunningKohakku.StartAsync(backend);

        /// <summary>Waits until nothing of the task's attempts runs any more.</summary>
        public abstract Task NothingRunsAsync(Guid taskId);

        public async ValueTask DisposeAsync()
        {
            if (running is not null) await running.DisposeAsync();
            GC.SuppressFinalize(this);
        }
    }
}
