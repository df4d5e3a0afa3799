using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class ExternalWorkflowTests(TemporalServerFixture server) : TemporalTest(server)
{
    [Fact(Timeout = Limit)]
    public async Task A_workflow_signals_and_cancels_another()
    {
        StartWorker();
        var other = await Client.StartWorkflowAsync((ListWorkflow workflow) => workflow.RunAsync(), Options());
        var handle = await StartAsync(other.Id, signal: true, cancel: true);
        Assert.Equal("done", await handle.GetResultAsync());
        await FailsWithAsync<CanceledFailureException>(other);
        Assert.Equal(["from outside"], await other.QueryAsync(workflow => workflow.Items()));
        var types = await EventTypesAsync(handle);
        Assert.Contains(EventType.ExternalWorkflowExecutionSignaled, types);
        Assert.Contains(EventType.ExternalWorkflowExecutionCancelRequested, types);
        var requested = (await HasEventAsync(other, EventType.WorkflowExecutionCancelRequested)).WorkflowExecutionCancelRequestedEventAttributes;
        Assert.Equal((handle.Id, handle.ResultRunId), (requested.ExternalWorkflowExecution.WorkflowId, requested.ExternalWorkflowExecution.RunId));
    }

    [Fact(Timeout = Limit)]
    public async Task A_workflow_that_is_not_there_is_not_signalled()
    {
        StartWorker();
        var handle = await StartAsync("there is no such workflow", signal: true, cancel: false);
        Assert.NotEqual("done", await handle.GetResultAsync());
        var failed = await HasEventAsync(handle, EventType.SignalExternalWorkflowExecutionFailed);
        Assert.Equal(
            SignalExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound, failed.SignalExternalWorkflowExecutionFailedEventAttributes.Cause);
    }

    [Fact(Timeout = Limit)]
    public async Task A_workflow_that_is_not_there_is_not_cancelled()
    {
        StartWorker();
        var handle = await StartAsync("there is no such workflow", signal: false, cancel: true);
        Assert.NotEqual("done", await handle.GetResultAsync());
        var failed = await HasEventAsync(handle, EventType.RequestCancelExternalWorkflowExecutionFailed);
        Assert.Equal(
            CancelExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound,
            failed.RequestCancelExternalWorkflowExecutionFailedEventAttributes.Cause);
    }

    [Fact(Timeout = Limit)]
    public async Task A_workflow_that_has_ended_is_not_signalled()
    {
        StartWorker();
        var other = await Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("x"), Options());
        await other.GetResultAsync();
        var handle = await StartAsync(other.Id, signal: true, cancel: false);
        Assert.NotEqual("done", await handle.GetResultAsync());
    }

    private Task<WorkflowHandle<ExternalWorkflow, string>> StartAsync(string id, bool signal, bool cancel) =>
        Client.StartWorkflowAsync((ExternalWorkflow workflow) => workflow.RunAsync(id, signal, cancel), Options());
}
