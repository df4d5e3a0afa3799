using System.Diagnostics;
using Temporalio.Client;
using Temporalio.Worker;

namespace Kohakku.Benchmarks;

/// <summary>A Temporal server through the SDK, with one worker in this process: so it is server, SDK and worker together that are measured.</summary>
internal static class TemporalBenchmark
{
    private const int WarmUp = 50;
    private const int Starts = 500;
    private const int Runs = 2_000;
    private const int OpenStarts = 100;
    private const int Activities = 1_000;
    private const int Signals = 5_000;
    private const int Callers = 20;

    public static async Task RunAsync(string address, string @namespace, CancellationToken cancellationToken)
    {
        var client = await TemporalClient.ConnectAsync(new(address) { Namespace = @namespace });
        var queue = $"bench-{Guid.NewGuid():N}";
        await new TemporalPolls(client, $"{queue}-polls").RunAsync(cancellationToken);
        using var worker = new TemporalWorker(
            client,
            new TemporalWorkerOptions(queue)
                .AddWorkflow<NoopWorkflow>().AddWorkflow<ActivitiesWorkflow>().AddWorkflow<SignalsWorkflow>().AddActivity(BenchmarkActivities.Echo));
        await worker.ExecuteAsync(
            async () =>
            {
                await StartAsync(client, queue, cancellationToken);
                await ThroughputAsync(client, queue, cancellationToken);
                await ParallelActivitiesAsync(client, queue, cancellationToken);
                await SignalAsync(client, queue, cancellationToken);
            },
            cancellationToken);
    }

    /// <summary>One start at a time on an idle server, each run ended before the next begins.</summary>
    private static async Task StartAsync(TemporalClient client, string queue, CancellationToken cancellationToken)
    {
        var (floor, answered, seen, whole) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var i = -WarmUp; i < Starts; i++)
        {
            var asked = Stopwatch.GetTimestamp();
            await client.WorkflowService.GetSystemInfoAsync(new(), new() { CancellationToken = cancellationToken });
            if (i >= 0) floor.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
        }

        for (var i = -WarmUp; i < Starts; i++)
        {
            var started = Stopwatch.GetTimestamp();
            var handle = await client.StartWorkflowAsync((NoopWorkflow workflow) => workflow.RunAsync(), Options(queue, cancellationToken));
            var answer = Stopwatch.GetElapsedTime(started);
            await handle.GetResultAsync(rpcOptions: new() { CancellationToken = cancellationToken });
            var ended = Stopwatch.GetElapsedTime(started);
            var first = Stopwatch.GetElapsedTime(started, FirstTasks.Take(handle.Id));
            if (i < 0) continue;
            answered.Add(answer.TotalMilliseconds);
            seen.Add(first.TotalMilliseconds);
            whole.Add(ended.TotalMilliseconds);
        }

        Report.Latencies(
            $"{Starts} runs that do nothing, one at a time, idle server", ("a call that does nothing", floor), ("start answered", answered), ("start → code runs", seen), ("start → end seen", whole));
    }

    private static async Task ThroughputAsync(TemporalClient client, string queue, CancellationToken cancellationToken)
    {
        var times = new double[Runs];
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(
            0, Runs, new ParallelOptions { MaxDegreeOfParallelism = OpenStarts, CancellationToken = cancellationToken },
            async (i, stopping) =>
            {
                var began = Stopwatch.GetTimestamp();
                await client.ExecuteWorkflowAsync((ActivitiesWorkflow workflow) => workflow.RunAsync(1), Options(queue, stopping));
                times[i] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            });
        var whole = Stopwatch.GetElapsedTime(started);
        Report.Latencies($"{Runs:N0} runs with an activity each, {OpenStarts} at a time: {Runs / whole.TotalSeconds:N0} runs/s", ("start → end seen", [.. times]));
    }

    private static async Task ParallelActivitiesAsync(TemporalClient client, string queue, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var handle = await client.StartWorkflowAsync((ActivitiesWorkflow workflow) => workflow.RunAsync(Activities), Options(queue, cancellationToken));
        var done = await handle.GetResultAsync(rpcOptions: new() { CancellationToken = cancellationToken });
        var whole = Stopwatch.GetElapsedTime(started);
        if (done != Activities) throw new InvalidOperationException($"{Activities} activities were run, {done} came back.");
        var described = await handle.DescribeAsync(new() { Rpc = new() { CancellationToken = cancellationToken } });
        Report.Figures(
            $"A run with {Activities:N0} activities at once",
            ("start → end seen", $"{whole.TotalSeconds:0.00} s ({Activities / whole.TotalSeconds:N0} activities/s)"), ("events in its history", $"{described.HistoryLength:N0}"));
    }

    private static async Task SignalAsync(TemporalClient client, string queue, CancellationToken cancellationToken)
    {
        var handle = await client.StartWorkflowAsync((SignalsWorkflow workflow) => workflow.RunAsync(Signals), Options(queue, cancellationToken));
        var started = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(
            0, Signals, new ParallelOptions { MaxDegreeOfParallelism = Callers, CancellationToken = cancellationToken },
            async (i, stopping) => await handle.SignalAsync(workflow => workflow.AddAsync(i), new() { Rpc = new() { CancellationToken = stopping } }));
        var sent = Stopwatch.GetElapsedTime(started);
        await handle.GetResultAsync(rpcOptions: new() { CancellationToken = cancellationToken });
        var whole = Stopwatch.GetElapsedTime(started);
        Report.Figures(
            $"{Signals:N0} signals to one run, {Callers} callers",
            ("signals answered", $"{Signals / sent.TotalSeconds:N0} signals/s"), ("all received, run ended after", $"{whole.TotalSeconds:0.00} s"));
    }

    private static WorkflowOptions Options(string queue, CancellationToken cancellationToken) =>
        new($"bench-{Guid.NewGuid():N}", queue) { Rpc = new() { CancellationToken = cancellationToken } };
}
