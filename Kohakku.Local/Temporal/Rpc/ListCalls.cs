using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Kohakku.Local.Temporal.Visibility;
using Temporalio.Api.Filter.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>Lists and counts of runs.</summary>
internal sealed class ListCalls(VisibilityStore visibility, NamespaceCheck check)
{
    private const int LargestPage = 1000;

    public void Map(GrpcMethods methods)
    {
        methods.Add<ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse>("ListWorkflowExecutions", async (request, call) =>
        {
            var page = await ListAsync(request.Namespace, request.Query, request.PageSize, request.NextPageToken, call);
            return new ListWorkflowExecutionsResponse { Executions = { page.Executions }, NextPageToken = ByteString.CopyFrom(page.NextPageToken) };
        });
        methods.Add<ScanWorkflowExecutionsRequest, ScanWorkflowExecutionsResponse>("ScanWorkflowExecutions", async (request, call) =>
        {
            var page = await ListAsync(request.Namespace, request.Query, request.PageSize, request.NextPageToken, call);
            return new ScanWorkflowExecutionsResponse { Executions = { page.Executions }, NextPageToken = ByteString.CopyFrom(page.NextPageToken) };
        });
        methods.Add<ListOpenWorkflowExecutionsRequest, ListOpenWorkflowExecutionsResponse>("ListOpenWorkflowExecutions", async (request, call) =>
        {
            var query = Query("ExecutionStatus = 'Running'", "StartTime", request.StartTimeFilter, request.ExecutionFilter, request.TypeFilter, null);
            var page = await ListAsync(request.Namespace, query, request.MaximumPageSize, request.NextPageToken, call);
            return new ListOpenWorkflowExecutionsResponse { Executions = { page.Executions }, NextPageToken = ByteString.CopyFrom(page.NextPageToken) };
        });
        methods.Add<ListClosedWorkflowExecutionsRequest, ListClosedWorkflowExecutionsResponse>("ListClosedWorkflowExecutions", async (request, call) =>
        {
            var query = Query("ExecutionStatus != 'Running'", "CloseTime", request.StartTimeFilter, request.ExecutionFilter, request.TypeFilter, request.StatusFilter);
            var page = await ListAsync(request.Namespace, query, request.MaximumPageSize, request.NextPageToken, call);
            return new ListClosedWorkflowExecutionsResponse { Executions = { page.Executions }, NextPageToken = ByteString.CopyFrom(page.NextPageToken) };
        });
        methods.Add<CountWorkflowExecutionsRequest, CountWorkflowExecutionsResponse>("CountWorkflowExecutions", (request, call) =>
        {
            check.Check(request.Namespace);
            return visibility.CountAsync(request.Namespace, request.Query, call.CancellationToken);
        });
        methods.Add<GetSearchAttributesRequest, GetSearchAttributesResponse>("GetSearchAttributes", (_, _) =>
        {
            var answer = new GetSearchAttributesResponse();
            foreach (var (name, type) in SearchAttributeRegistry.System) answer.Keys[name] = type;
            return Task.FromResult(answer);
        });
    }

    private Task<ExecutionPage> ListAsync(string @namespace, string query, int pageSize, ByteString token, ServerCallContext call)
    {
        check.Check(@namespace);
        return visibility.ListAsync(@namespace, query, pageSize is > 0 and <= LargestPage ? pageSize : LargestPage, token.Memory, call.CancellationToken);
    }

    private static string Query(string status, string timeField, StartTimeFilter? time, WorkflowExecutionFilter? execution, WorkflowTypeFilter? type, StatusFilter? statusFilter)
    {
        var conditions = new List<string> { statusFilter is { Status: not 0 } ? $"ExecutionStatus = '{statusFilter.Status}'" : status };
        if (time?.EarliestTime is { } earliest) conditions.Add($"{timeField} >= '{Text(earliest)}'");
        if (time?.LatestTime is { } latest) conditions.Add($"{timeField} <= '{Text(latest)}'");
        if (execution?.WorkflowId is { Length: > 0 } workflowId) conditions.Add($"WorkflowId = '{Quoted(workflowId)}'");
        if (execution?.RunId is { Length: > 0 } runId) conditions.Add($"RunId = '{Quoted(runId)}'");
        if (type?.Name is { Length: > 0 } name) conditions.Add($"WorkflowType = '{Quoted(name)}'");
        return string.Join(" AND ", conditions);
    }

    private static string Text(Google.Protobuf.WellKnownTypes.Timestamp time) => time.ToDateTimeOffset().ToString("O", CultureInfo.InvariantCulture);

    private static string Quoted(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal);
}
