using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>A test with a task queue of its own; its workers end with it.</summary>
public abstract class TemporalTest(TemporalServerFixture server) : IClassFixture<TemporalServerFixture>, IAsyncDisposable
{
    /// <summary>How many milliseconds a test may take: a server that never answers fails it.</summary>
    protected const int Limit = 180_000;

    private readonly List<RunningWorker> _workers = [];

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected TemporalServerFixture Server => server;

    protected TemporalClient Client => server.Client;

    protected string TaskQueue { get; } = $"queue-{Guid.NewGuid():N}";

    protected TestActivities Activities { get; } = new();

    protected WorkflowOptions Options(Action<WorkflowOptions>? configure = null)
    {
        var options = new WorkflowOptions($"workflow-{Guid.NewGuid():N}", TaskQueue);
        configure?.Invoke(options);
        return options;
    }

    /// <summary>Runs a worker of all workflows and of the test's activities until it is stopped or the test ends.</summary>
    /// <param name="client">For a second worker of the same task queue.</param>
    private protected RunningWorker StartWorker(
        Action<TemporalWorkerOptions>? configure = null, TestActivities? activities = null, ITemporalClient? client = null)
    {
        var options = new TemporalWorkerOptions(TaskQueue).AddAllActivities(activities ?? Activities);
        foreach (var type in Histories.WorkflowTypes) options.AddWorkflow(type);
        return StartWorkerWith(client ?? Client, options, configure);
    }

    /// <summary>Runs a worker of the workflows given alone.</summary>
    private protected RunningWorker StartWorkerOf<TWorkflow>() =>
        StartWorkerWith(Client, new TemporalWorkerOptions(TaskQueue).AddWorkflow<TWorkflow>(), null);

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Activities.Release();
        foreach (var worker in _workers) await worker.DisposeAsync();
    }

    protected static async Task<List<HistoryEvent>> EventsAsync(WorkflowHandle handle) => [.. (await handle.FetchHistoryAsync()).Events];

    protected static async Task<List<EventType>> EventTypesAsync(WorkflowHandle handle) =>
        (await EventsAsync(handle)).ConvertAll(item => item.EventType);

    /// <summary>All that the server says of a run; the SDK's own description leaves some of it out.</summary>
    protected async Task<DescribeWorkflowExecutionResponse> DescribeAsync(WorkflowHandle handle) =>
        await Client.WorkflowService.DescribeWorkflowExecutionAsync(
            new() { Namespace = TemporalServerFixture.Namespace, Execution = new() { WorkflowId = handle.Id, RunId = handle.RunId ?? "" } });

    /// <summary>Waits for an event, and answers the first.</summary>
    protected static Task<HistoryEvent> HasEventAsync(WorkflowHandle handle, EventType type) =>
        Eventually.NotNullAsync(async () => (await EventsAsync(handle)).Find(item => item.EventType == type), what: $"an event {type}");

    protected static Task HasStatusAsync(WorkflowHandle handle, WorkflowExecutionStatus status) =>
        Eventually.Async(async () => (await handle.DescribeAsync()).Status == status, what: $"the status {status}");

    protected static async Task FailsAsync(RpcException.StatusCode code, Func<Task> call) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<RpcException>(call)).Code);

    /// <summary>What made the run fail.</summary>
    protected static async Task<TFailure> FailsWithAsync<TFailure>(WorkflowHandle handle)
        where TFailure : FailureException =>
        Assert.IsType<TFailure>((await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResultAsync())).InnerException);

    private RunningWorker StartWorkerWith(ITemporalClient client, TemporalWorkerOptions options, Action<TemporalWorkerOptions>? configure)
    {
        options.GracefulShutdownTimeout = TimeSpan.FromMilliseconds(200);
        configure?.Invoke(options);
        var worker = new RunningWorker(new TemporalWorker(client, options));
        _workers.Add(worker);
        return worker;
    }
}
