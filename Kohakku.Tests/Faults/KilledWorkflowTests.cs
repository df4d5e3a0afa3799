using System.Globalization;
using System.Text;
using Aspire.Hosting.Testing;
using Kohakku.Contracts.Workflows;
using Kohakku.Tests.EndToEnd;
using Kohakku.Tests.Fixtures;
using Kohakku.Workflows.Interpreter;
using Npgsql;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace Kohakku.Tests.Faults;

/// <summary>A run goes on whatever dies under it; what was done is not done again.</summary>
public sealed class KilledWorkflowTests
{
    private const int Lanes = 8;
    private const int Depth = 24;

    [Fact]
    public async Task A_run_of_two_hundred_steps_ends_once_though_everything_is_killed_in_the_middle()
    {
        await using var kohakku = await RunningKohakku.StartAsync("process");
        await kohakku.DefineAsync(Document());
        var run = await kohakku.RunAsync("long");
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] victims = ["temporal-worker", "controller", "temporal", "postgres"];
        random.Shuffle(victims);
        foreach (var victim in victims)
        {
            var reached = (await kohakku.WhenRunAsync(run.Id, view => view.StartedAt is not null)).Steps.Count(step => step.Status.IsEnded());
            var until = Math.Min(reached + random.Next(1, 25), Lanes * Depth);
            await kohakku.WhenRunAsync(run.Id, view => view.Steps.Count(step => step.Status.IsEnded()) >= until, TimeSpan.FromMinutes(2));
            await kohakku.KillAsync(victim);
        }

        var ended = await kohakku.EndOfRunAsync(run.Id, TimeSpan.FromMinutes(4));
        Assert.True(ended.Status == RunState.Succeeded, $"seed {seed}, {string.Join(", ", victims)}: {ended.Status}: {ended.Failure}");
        Assert.All(ended.Steps, step => Assert.Equal((StepState.Succeeded, step.Kind == "agent" ? 1 : 0), (step.Status, step.TaskIds.Count)));
        Assert.Equal(Lanes * Depth, ended.Steps.SelectMany(step => step.TaskIds).Distinct().Count());
        Assert.Equal(4, ended.Outputs!.Value.GetProperty("n").GetInt32());
        var timeline = await kohakku.RunTimelineAsync(run.Id);
        Assert.Equal(Enumerable.Range(1, timeline.Count).Select(number => (long)number), timeline.Select(entry => entry.Id));
        Assert.All(timeline.Where(entry => entry.Type == "step.ended").GroupBy(entry => entry.Step), step => Assert.Single(step));
        var replayer = new WorkflowReplayer(new WorkflowReplayerOptions().AddWorkflow<RunWorkflow>());
        foreach (var history in await kohakku.HistoriesAsync(run.Id)) await replayer.ReplayWorkflowAsync(history);
    }

    [Fact]
    public async Task Another_worker_takes_up_the_turn_in_which_one_was_killed()
    {
        await using var kohakku = await RunningKohakku.StartAsync("process");
        await kohakku.DefineAsync("name: one\nsteps: [{ id: only, agent: noop, brief: x }]\n");
        RunView run;
        await using (await LockTasksAsync(kohakku))
        {
            run = await kohakku.RunAsync("one");
            var temporal = await kohakku.TemporalAsync();
            await Eventually.Async(async () => await IsInTurnAsync(temporal, run), TimeSpan.FromMinutes(1), "a turn has begun");
            await kohakku.KillAsync("temporal-worker");
        }

        var ended = await kohakku.EndOfRunAsync(run.Id);
        Assert.Equal(RunState.Succeeded, ended.Status);
        Assert.Single(ended.Step("only").TaskIds);
        var first = Assert.Single(await kohakku.HistoriesAsync(run.Id)).Events.First(entry => entry.ActivityTaskStartedEventAttributes is not null);
        Assert.Equal(TimeoutType.Heartbeat, first.ActivityTaskStartedEventAttributes.LastFailure.TimeoutFailureInfo.TimeoutType);
    }

    /// <summary>Until it is disposed of, a turn that makes tasks waits.</summary>
    private static async Task<IAsyncDisposable> LockTasksAsync(RunningKohakku kohakku)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var connection = new NpgsqlConnection(await kohakku.App.GetConnectionStringAsync("controller-database", cancellation));
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand("BEGIN; LOCK TABLE tasks IN SHARE MODE", connection);
        await command.ExecuteNonQueryAsync(cancellation);
        return connection;
    }

    private static async Task<bool> IsInTurnAsync(ITemporalClient temporal, RunView run)
    {
        try
        {
            var workflow = await temporal.WorkflowService.DescribeWorkflowExecutionAsync(
                new() { Namespace = temporal.Options.Namespace, Execution = new() { WorkflowId = RunWorkflow.IdOf(run.Id) } });
            return workflow.PendingActivities is [{ State: PendingActivityState.Started }];
        }
        catch (RpcException fault) when (fault.Code == RpcException.StatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>Lanes of steps one after another; in the first every sixth counts on from the one before, in a process of its own.</summary>
    private static string Document()
    {
        var document = new StringBuilder("name: long\nsteps:\n");
        for (var lane = 0; lane < Lanes; lane++)
        {
            for (var step = 0; step < Depth; step++)
            {
                document.Append(CultureInfo.InvariantCulture, $"  - id: s{lane}_{step}\n");
                if (step > 0) document.Append(CultureInfo.InvariantCulture, $"    needs: [s{lane}_{step - 1}]\n");
                var before = step < 6 ? "0" : $"{{{{ steps.s0_{step - 6}.output.n }}}}";
                document.Append(lane == 0 && step % 6 == 0
                    ? $"    agent: shell\n    brief: \"echo '{{\\\"n\\\": '$(( {before} + 1 ))'}}' > output/result.json\"\n"
                    : "    agent: noop\n    brief: x\n");
            }
        }

        for (var nap = 0; nap < 8; nap++) document.Append(CultureInfo.InvariantCulture, $"  - id: nap{nap}\n    needs: [s{nap}_{Depth - 1}]\n    wait: 1s\n");
        return document.Append("outputs: { n: \"{{ steps.s0_18.output.n }}\" }\n").ToString();
    }
}
