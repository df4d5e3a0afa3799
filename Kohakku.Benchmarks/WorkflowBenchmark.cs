using System.Diagnostics;
using System.Globalization;
using System.Text;
using Kohakku.Contracts.Workflows;
using Temporalio.Client;

namespace Kohakku.Benchmarks;

/// <summary>What running a workflow costs beside its tasks: steps one after another, a fan-out, many runs at once. Its agents do nothing, inside the dispatcher.</summary>
internal static class WorkflowBenchmark
{
    private const int Steps = 200;
    private const int Items = 1_000;
    private const int Runs = 1_000;
    private const int Callers = 16;

    public static async Task RunAsync(Installation installation, CancellationToken cancellationToken)
    {
        await installation.PutWorkflowAsync("bench-sequence", Sequence(Steps), cancellationToken);
        await installation.PutWorkflowAsync(
            "bench-fan-out",
            "name: bench-fan-out\ninputs: { items: { type: array, required: true } }\nsteps:\n  - { id: all, for_each: \"{{ inputs.items }}\", agent: noop, brief: \"{{ item }}\" }\n", cancellationToken);
        await installation.PutWorkflowAsync("bench-one", Sequence(1).Replace("bench-sequence", "bench-one", StringComparison.Ordinal), cancellationToken);
        await RunOnceAsync(installation, "bench-one", "{}", cancellationToken);

        // The first is the one in which every process compiles its code: both are worth knowing.
        var first = await RunOnceAsync(installation, "bench-sequence", "{}", cancellationToken);
        var sequence = await RunOnceAsync(installation, "bench-sequence", "{}", cancellationToken);
        Report.Latencies(
            $"{Steps} steps in sequence, {(sequence.EndedAt - sequence.StartedAt)!.Value.TotalSeconds:0.0} s",
            ("a step's end → the next one's", PerStep(sequence)), ("the same in the run before", PerStep(first)));

        var fanOut = await RunOnceAsync(
            installation, "bench-fan-out", $"{{\"items\":[{string.Join(',', Enumerable.Range(0, Items))}]}}", cancellationToken);
        var (wall, submitted) = await ManyAsync(installation, cancellationToken);
        Report.Figures(
            "Workflows",
            ($"a step with {Items:N0} items", $"{(fanOut.EndedAt - fanOut.StartedAt)!.Value.TotalSeconds:0.0} s"),
            ($"{Runs:N0} runs of a step each, started at once", $"{wall.TotalSeconds:0.0} s to the last end ({Runs / wall.TotalSeconds:N0} runs/s), of which {submitted.TotalSeconds:0.0} s to take them"),
            ("events of Temporal, a step in sequence", $"{await EventsAsync(installation, sequence, cancellationToken) / (double)Steps:0.0}"),
            ("events of Temporal, an item of a fan-out", $"{await EventsAsync(installation, fanOut, cancellationToken) / (double)Items:0.00}"));
    }

    private static List<double> PerStep(RunView run) =>
        [.. run.Steps.Zip(run.Steps.Skip(1), (before, after) => (after.EndedAt!.Value - before.EndedAt!.Value).TotalMilliseconds)];

    private static async Task<RunView> RunOnceAsync(Installation installation, string workflow, string inputs, CancellationToken cancellationToken)
    {
        var run = await installation.StartRunAsync(workflow, inputs, cancellationToken);
        await installation.FollowRunToEndAsync(run.Id, cancellationToken);
        var ended = await installation.RunAsync(run.Id, cancellationToken);
        return ended.Status == RunState.Succeeded ? ended : throw new InvalidOperationException($"Run {run.Id} ended {ended.Status}: {ended.Failure}");
    }

    private static async Task<(TimeSpan Wall, TimeSpan Submitted)> ManyAsync(Installation installation, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var ids = new Guid[Runs];
        await Parallel.ForAsync(
            0, Runs, new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = cancellationToken },
            async (i, stopping) => ids[i] = (await installation.StartRunAsync("bench-one", "{}", stopping)).Id);
        var submitted = Stopwatch.GetElapsedTime(started);
        foreach (var id in ids) await installation.FollowRunToEndAsync(id, cancellationToken);
        return (Stopwatch.GetElapsedTime(started), submitted);
    }

    private static async Task<long> EventsAsync(Installation installation, RunView run, CancellationToken cancellationToken)
    {
        var client = await TemporalClient.ConnectAsync(new(installation.Service("temporal").Authority));
        var events = 0L;
        await foreach (var execution in client.ListWorkflowsAsync($"WorkflowId = 'run-{run.Id}'").WithCancellation(cancellationToken)) events += execution.HistoryLength;
        return events;
    }

    private static string Sequence(int steps)
    {
        var document = new StringBuilder("name: bench-sequence\nsteps:\n");
        for (var step = 0; step < steps; step++)
        {
            document.Append(CultureInfo.InvariantCulture, $"  - id: s{step}\n    agent: noop\n    brief: Measure.\n");
            if (step > 0) document.Append(CultureInfo.InvariantCulture, $"    needs: [s{step - 1}]\n");
        }

        return document.ToString();
    }
}
