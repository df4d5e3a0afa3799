using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>A list that signals and updates fill, and a signal closes.</summary>
[Workflow]
public class ListWorkflow
{
    private readonly List<string> _items = [];
    private bool _released;
    private bool _finished;

    [WorkflowRun]
    public async Task<List<string>> RunAsync()
    {
        await Workflow.WaitConditionAsync(() => _finished && Workflow.AllHandlersFinished);
        return _items;
    }

    [WorkflowSignal]
    public Task PushAsync(string item)
    {
        _items.Add(item);
        return Task.CompletedTask;
    }

    /// <summary>Lets the updates go that wait for it.</summary>
    [WorkflowSignal]
    public Task ReleaseAsync()
    {
        _released = true;
        return Task.CompletedTask;
    }

    [WorkflowSignal]
    public Task FinishAsync()
    {
        _finished = true;
        return Task.CompletedTask;
    }

    [WorkflowQuery]
    public List<string> Items() => _items;

    [WorkflowQuery]
    public string Broken() => throw new InvalidOperationException("the query is broken");

    [WorkflowUpdate]
    public Task<int> AddAsync(string item)
    {
        _items.Add(item);
        return Task.FromResult(_items.Count);
    }

    [WorkflowUpdateValidator(nameof(AddAsync))]
    public void ValidateAdd(string item)
    {
        if (item.Length == 0) throw new ApplicationFailureException("an empty item", errorType: "Empty");
    }

    [WorkflowUpdate]
    public async Task<int> AddByActivityAsync(string item)
    {
        _items.Add(await Workflow.ExecuteActivityAsync(
            (TestActivities activities) => activities.Echo(item), new() { StartToCloseTimeout = TimeSpan.FromSeconds(20) }));
        return _items.Count;
    }

    [WorkflowUpdate]
    public async Task<int> AddWhenReleasedAsync(string item)
    {
        await Workflow.WaitConditionAsync(() => _released);
        _items.Add(item);
        return _items.Count;
    }

    [WorkflowUpdate]
    public async Task FailAsync(string message)
    {
        await Workflow.DelayAsync(1);
        throw new ApplicationFailureException(message, errorType: "Asked");
    }
}

/// <summary>Ends while an update of it is not through.</summary>
[Workflow]
public class HastyWorkflow
{
    private bool _finished;

    [WorkflowRun]
    public Task RunAsync() => Workflow.WaitConditionAsync(() => _finished);

    [WorkflowSignal]
    public Task FinishAsync()
    {
        _finished = true;
        return Task.CompletedTask;
    }

    [WorkflowUpdate(UnfinishedPolicy = HandlerUnfinishedPolicy.Abandon)]
    public Task NeverEndAsync() => Workflow.WaitConditionAsync(() => false);
}

/// <summary>Signals another workflow, then asks it to cancel; answers what went wrong.</summary>
[Workflow]
public class ExternalWorkflow
{
    [WorkflowRun]
    public async Task<string> RunAsync(string workflowId, bool signal, bool cancel)
    {
        var other = Workflow.GetExternalWorkflowHandle<ListWorkflow>(workflowId);
        try
        {
            if (signal) await other.SignalAsync(workflow => workflow.PushAsync("from outside"));
            if (cancel) await other.CancelAsync();
            return "done";
        }
        catch (FailureException exception)
        {
            return exception.Message;
        }
    }
}
