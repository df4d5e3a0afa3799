using Kohakku.Local.Temporal.Histories;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>
/// <c>temporal.api.workflowservice.v1.WorkflowService</c>: all of it that this server does. What is not here answers UNIMPLEMENTED.
/// </summary>
internal sealed class WorkflowService(
    NamespaceCalls namespaces, StartCalls starts, ExternalCalls external, QueryCalls queries, UpdateCalls updates, DescribeCalls describe,
    ListCalls lists, HistoryReads history, WorkflowWorkerCalls workflowWorkers, ActivityWorkerCalls activityWorkers, ActivityOperatorCalls activityOperators,
    NamespaceCheck check) : GrpcService
{
    public override string ServiceName => "temporal.api.workflowservice.v1.WorkflowService";

    public override void Map(GrpcMethods methods)
    {
        SystemCalls.Map(methods);
        namespaces.Map(methods);
        starts.Map(methods);
        external.Map(methods);
        queries.Map(methods);
        updates.Map(methods);
        describe.Map(methods);
        lists.Map(methods);
        methods.Add<Temporalio.Api.WorkflowService.V1.GetWorkflowExecutionHistoryRequest, Temporalio.Api.WorkflowService.V1.GetWorkflowExecutionHistoryResponse>(
            "GetWorkflowExecutionHistory", (request, call) =>
            {
                check.Check(request.Namespace);
                return history.GetAsync(request, call.CancellationToken);
            });
        methods.Add<Temporalio.Api.WorkflowService.V1.GetWorkflowExecutionHistoryReverseRequest, Temporalio.Api.WorkflowService.V1.GetWorkflowExecutionHistoryReverseResponse>(
            "GetWorkflowExecutionHistoryReverse", (request, call) =>
            {
                check.Check(request.Namespace);
                return history.GetReverseAsync(request, call.CancellationToken);
            });
        workflowWorkers.Map(methods);
        activityWorkers.Map(methods);
        activityOperators.Map(methods);
    }
}
