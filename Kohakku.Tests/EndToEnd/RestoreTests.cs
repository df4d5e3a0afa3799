using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Tests.Fixtures;
using Kohakku.Workflows.Interpreter;

namespace Kohakku.Tests.EndToEnd;

/// <summary>An installation is lost with all it had, Temporal too, and comes back from its backup by the scripts that operators use.</summary>
public sealed class RestoreTests
{
    private const string Long =
        """
        name: long
        inputs:
          flag: { type: string, required: true }
          parts: { type: array, default: [a, b, c] }
        steps:
          - { id: first, agent: shell, brief: "echo '{\"n\": 1}' > output/result.json" }
          - id: work
            needs: [first]
            for_each: "{{ inputs.parts }}"
            max_parallel: 2
            agent: shell
            brief: |
              [ '{{ item }}' = a ] || while [ ! -e {{ inputs.flag }} ]; do sleep 0.1; done
              echo '{"item": "{{ item }}"}' > output/result.json
          - id: best
            agent: shell
            brief: "echo '{}' > output/result.json"
            best_of:
              count: 2
              judge: { agent: shell, brief: "while [ ! -e {{ inputs.flag }} ]; do sleep 0.1; done; echo '{\"winner\": 1}' > output/result.json" }
          - { id: gate, needs: [first], approval: { prompt: "Go on?" } }
          - { id: pause, needs: [gate], wait: 1s }
          - { id: go, needs: [pause], signal: { name: go } }
        outputs: { first: "{{ steps.first.output.n }}", work: "{{ steps.work.output }}" }
        """;

    [Fact]
    public async Task What_was_there_is_there_again_and_open_runs_go_on()
    {
        var folder = Directory.CreateTempSubdirectory("kohakku-backup-");
        var flag = Path.Combine(folder.FullName, "flag");
        try
        {
            File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
            var backups = Path.Combine(folder.FullName, "backups");
            Guid done, run, paused;
            string token;
            await using (var kohakku = await RunningKohakku.StartAsync("process"))
            {
                token = kohakku.Api.DefaultRequestHeaders.Authorization!.Parameter!;
                done = (await kohakku.SubmitAsync(new SubmitTask { Agent = "shell", Brief = "echo printed; echo kept > output/file.txt" })).Id;
                Assert.Equal(TaskState.Succeeded, (await kohakku.EndOfAsync(done)).Status);
                using (var trigger = new StringContent("""{"verify":"token","secret":"sealed-words-of-a-trigger","target":{"task":{"agent":"noop","brief":"x"}}}""", Encoding.UTF8, new MediaTypeHeaderValue("application/json")))
                using (var answer = await kohakku.Api.PutAsync("/api/v1/triggers/sealed", trigger, TestContext.Current.CancellationToken))
                    Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
                await kohakku.DefineAsync(Long);
                run = (await kohakku.RunAsync("long", $$"""{"flag":"{{flag}}"}""")).Id;
                paused = (await kohakku.RunAsync("long", $$"""{"flag":"{{flag}}"}""")).Id;
                await kohakku.WhenStepAsync(paused, "first", StepState.Succeeded);
                await kohakku.PostWellAsync($"runs/{paused}/pause");
                await kohakku.WhenRunAsync(run, view => view.Step("gate").Status == StepState.Waiting && view.Step("work").TaskIds.Count == 3 && view.Step("best").TaskIds.Count == 3);
                await kohakku.PostWellAsync($"runs/{run}/approvals/gate", """{"decision":"approve"}""");
                await kohakku.WhenStepAsync(run, "go", StepState.Waiting);
                await kohakku.PostWellAsync($"runs/{run}/signals/later", "{}");
                var said = await ScriptAsync("backup", kohakku.Data, backups);
                Assert.Contains("is whole", said, StringComparison.Ordinal);
                // After the backup: the restored installation knows nothing of it.
                await kohakku.SubmitAsync(new SubmitTask { Agent = "noop", Brief = "x" });
            }

            var data = Directory.CreateTempSubdirectory("kohakku-restored-");
            File.SetUnixFileMode(data.FullName, (UnixFileMode)0b111_101_101);
            Assert.Contains("runs:     2 go on", await ScriptAsync("restore", data.FullName, backups), StringComparison.Ordinal);
            await using var restored = await RunningKohakku.StartAsync("process", data: data);
            restored.Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            Assert.Equal(TaskState.Succeeded, (await restored.TaskAsync(done)).Status);
            Assert.Contains("printed", await restored.LogAsync(done), StringComparison.Ordinal);
            Assert.Equal("kept\n", await restored.Api.GetStringAsync($"/api/v1/tasks/{done}/artifacts/file.txt", TestContext.Current.CancellationToken));
            using (var hook = new HttpRequestMessage(HttpMethod.Post, "/api/v1/hooks/sealed") { Content = new StringContent("{}", Encoding.UTF8, new MediaTypeHeaderValue("application/json")) })
            {
                hook.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "sealed-words-of-a-trigger");
                using var taken = await restored.Api.SendAsync(hook, TestContext.Current.CancellationToken);
                Assert.Equal(System.Net.HttpStatusCode.Accepted, taken.StatusCode);
            }


            // Nothing of Temporal's was in the backup, yet the runs stand where they stood, and what was begun is not begun again.
            var before = await restored.RunOfAsync(run);
            Assert.Equal(StepState.Succeeded, before.Step("gate").Status);
            Assert.Equal(RunState.Paused, (await restored.RunOfAsync(paused)).Status);
            await File.WriteAllTextAsync(flag, "", TestContext.Current.CancellationToken);
            await restored.PostWellAsync($"runs/{run}/signals/go", "{}");
            var ended = await restored.EndOfRunAsync(run, TimeSpan.FromMinutes(2));
            Assert.True(ended.Status == RunState.Succeeded, $"{ended.Status}: {ended.Failure}");
            Assert.Equal("""[{"item":"a"},{"item":"b"},{"item":"c"}]""", ended.Outputs!.Value.GetProperty("work").GetRawText());
            Assert.Equal((1, 3, 3), (ended.Step("first").TaskIds.Count, ended.Step("work").TaskIds.Count, ended.Step("best").TaskIds.Count));
            Assert.Equal(before.Step("work").TaskIds, ended.Step("work").TaskIds);

            await restored.PostWellAsync($"runs/{paused}/resume");
            await restored.WhenStepAsync(paused, "gate", StepState.Waiting);
            await restored.PostWellAsync($"runs/{paused}/approvals/gate", """{"decision":"approve"}""");
            await restored.PostWellAsync($"runs/{paused}/signals/go", "{}");
            var second = await restored.EndOfRunAsync(paused, TimeSpan.FromMinutes(2));
            Assert.True(second.Status == RunState.Succeeded, $"{second.Status}: {second.Failure}");
            // New runs go as ever.
            Assert.Equal(RunState.Canceled, await CancelAsync(restored));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Temporal keeps what it has while the database goes back: its workflows are of a time that never was, and give way.</summary>
    [Fact]
    public async Task Workflows_of_before_give_way_to_the_database()
    {
        await using var kohakku = await RunningKohakku.StartAsync("process");
        await kohakku.DefineAsync("name: gated\nsteps:\n  - { id: gate, approval: { prompt: \"Go on?\" } }\n  - { id: after, needs: [gate], agent: noop, brief: x }\n");
        var run = await kohakku.RunAsync("gated");
        await kohakku.WhenStepAsync(run.Id, "gate", StepState.Waiting);
        var temporal = await kohakku.TemporalAsync();
        var orphan = await temporal.StartWorkflowAsync(
            "kohakku-run", [new RunInput { Engine = RunMachine.Engine, RunId = Guid.CreateVersion7(), Plan = new RunPlan { Steps = [] } }],
            new Temporalio.Client.WorkflowOptions(RunWorkflow.IdOf(Guid.CreateVersion7()), "kohakku") { StartDelay = TimeSpan.FromHours(1) });
        var first = (await temporal.GetWorkflowHandle(RunWorkflow.IdOf(run.Id)).DescribeAsync()).RunId;

        Assert.Contains("1 goes on", await RunAsync("dotnet", [AppHost, "run", "controller", "reconcile"], kohakku.Data), StringComparison.Ordinal);
        await Eventually.Async(
            async () => (await temporal.GetWorkflowHandle(RunWorkflow.IdOf(run.Id)).DescribeAsync()).RunId != first, TimeSpan.FromMinutes(1), "another workflow leads the run");
        await Eventually.Async(
            async () => (await orphan.DescribeAsync()).Status == Temporalio.Api.Enums.V1.WorkflowExecutionStatus.Terminated, TimeSpan.FromMinutes(1), "the workflow without a run is ended");
        Assert.Equal(Temporalio.Api.Enums.V1.WorkflowExecutionStatus.Terminated, (await temporal.GetWorkflowHandle(RunWorkflow.IdOf(run.Id), first).DescribeAsync()).Status);
        await kohakku.PostWellAsync($"runs/{run.Id}/approvals/gate", """{"decision":"approve"}""");
        var ended = await kohakku.EndOfRunAsync(run.Id);
        Assert.True(ended.Status == RunState.Succeeded, $"{ended.Status}: {ended.Failure}");
        Assert.Single(ended.Step("after").TaskIds);
    }

    private static async Task<RunState> CancelAsync(RunningKohakku kohakku)
    {
        var run = await kohakku.RunAsync("long", """{"flag":"/nowhere"}""");
        await kohakku.WhenStepAsync(run.Id, "gate", StepState.Waiting);
        await kohakku.PostWellAsync($"runs/{run.Id}/cancel");
        return (await kohakku.EndOfRunAsync(run.Id)).Status;
    }

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private static string AppHost => Path.Combine(SourceTree.RepositoryRoot, "Kohakku.AppHost", "bin", Configuration, "net10.0", "Kohakku.AppHost.dll");

    private static Task<string> ScriptAsync(string script, string data, string folder) => RunAsync(Path.Combine(SourceTree.RepositoryRoot, "eng", script), [folder], data);

    private static async Task<string> RunAsync(string program, string[] arguments, string data)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["KOHAKKU_DATA"], start.Environment["CONFIGURATION"]) = (data, Configuration);
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, output + await errors);
        return output;
    }
}
