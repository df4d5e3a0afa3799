using System.CommandLine;
using Kohakku.Benchmarks;

var data = new Option<DirectoryInfo>("--data")
{
    Description = "The data folder of the running installation to measure (KOHAKKU_DATA).",
    DefaultValueFactory = _ => new DirectoryInfo(Environment.GetEnvironmentVariable("KOHAKKU_DATA") ?? ".kohakku"),
    Recursive = true,
};
var tasks = new Option<int?>("--tasks") { Description = "How many tasks to run (default 200 one by one, 5,000 in batches)." };
var agent = new Option<string?>("--agent") { Description = "The agent to run: noop (inline, the default) or echo." };

var pickup = new Command("pickup", "Submit one task at a time on an idle system: submit to claimed, submit to running, submit to ended.") { tasks, agent };
pickup.SetAction(async (options, cancellationToken) =>
{
    using var installation = Installation.Open(options.GetRequiredValue(data));
    await PickupBenchmark.RunAsync(installation, options.GetValue(agent) ?? "noop", options.GetValue(tasks) ?? 200, cancellationToken);
});

var throughput = new Command("throughput", "Submit tasks in batches of 1,000 and wait for the last to end; checks that each ran exactly once.") { tasks, agent };
throughput.SetAction(async (options, cancellationToken) =>
{
    using var installation = Installation.Open(options.GetRequiredValue(data));
    await ThroughputBenchmark.RunAsync(installation, options.GetValue(agent) ?? "noop", options.GetValue(tasks) ?? 5_000, cancellationToken);
});

var address = new Option<string>("--address")
{
    Description = "Where the Temporal server is (TEMPORAL_ADDRESS).",
    DefaultValueFactory = _ => Environment.GetEnvironmentVariable("TEMPORAL_ADDRESS") ?? "localhost:7233",
};
var @namespace = new Option<string>("--namespace") { Description = "The namespace to run workflows in.", DefaultValueFactory = _ => "default" };

var temporal = new Command("temporal", "Run workflows on a Temporal server: starts, runs with activities, many activities at once, signals.") { address, @namespace };
temporal.SetAction((options, cancellationToken) =>
    TemporalBenchmark.RunAsync(options.GetRequiredValue(address), options.GetRequiredValue(@namespace), cancellationToken));

var workflows = new Command("workflows", "Run workflows: 200 steps in sequence, 1,000 items, 1,000 runs at once.");
workflows.SetAction(async (options, cancellationToken) =>
{
    using var installation = Installation.Open(options.GetRequiredValue(data));
    await WorkflowBenchmark.RunAsync(installation, cancellationToken);
});

var count = new Option<int>("--schedules") { Description = "How many.", DefaultValueFactory = _ => 10_000 };
var schedules = new Command("schedules", "Schedules that are due in the same second: how late each makes its task.") { count };
schedules.SetAction(async (options, cancellationToken) =>
{
    using var installation = Installation.Open(options.GetRequiredValue(data));
    await ScheduleBenchmark.RunAsync(installation, options.GetRequiredValue(count), cancellationToken);
});

var root = new RootCommand("Measures a running Kohakku installation from outside, through its API.") { pickup, throughput, temporal, workflows, schedules };
root.Options.Add(data);
root.SetAction(async (options, cancellationToken) =>
{
    using var installation = Installation.Open(options.GetRequiredValue(data));
    await PickupBenchmark.RunAsync(installation, "noop", 200, cancellationToken);
    await PickupBenchmark.RunAsync(installation, "echo", 200, cancellationToken);
    await ThroughputBenchmark.RunAsync(installation, "noop", 5_000, cancellationToken);
});
return await root.Parse(args).InvokeAsync();
