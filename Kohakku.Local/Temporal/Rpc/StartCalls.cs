using Google.Protobuf;
using Grpc.Core;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Visibility;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>Starts of workflows, alone or with a signal.</summary>
internal sealed class StartCalls(RunHost host, Starter starter, SearchAttributeRegistry searchAttributes, NamespaceCheck check)
{
    private const int LongestId = 1000;
    private const int LargestPayload = 2 * 1024 * 1024;
    private static readonly TimeSpan LongestTaskTimeout = TimeSpan.FromSeconds(120);

    public void Map(GrpcMethods methods)
    {
        methods.Add<StartWorkflowExecutionRequest, StartWorkflowExecutionResponse>("StartWorkflowExecution", (request, call) => StartAsync(request, call.CancellationToken));
        methods.Add<SignalWithStartWorkflowExecutionRequest, SignalWithStartWorkflowExecutionResponse>("SignalWithStartWorkflowExecution", SignalWithStartAsync);
    }

    /// <param name="hasMore">An update follows that the first workflow task should bring with it.</param>
    public async Task<StartWorkflowExecutionResponse> StartAsync(StartWorkflowExecutionRequest request, CancellationToken cancellationToken, bool hasMore = false)
    {
        check.Check(request.Namespace);
        Validate(request);
        var (policies, runId) = (Policies(request), Guid.CreateVersion7());
        var result = await starter.StartAsync(
            request.Namespace, request.WorkflowId, request.RequestId, policies, now => Begin(request, runId, now, change => change.HandsOver = !hasMore), existing: null, cancellationToken);
        return new StartWorkflowExecutionResponse { RunId = result.RunId.ToString(), Started = result.Started, Status = result.Status };
    }

    private async Task<SignalWithStartWorkflowExecutionResponse> SignalWithStartAsync(SignalWithStartWorkflowExecutionRequest request, ServerCallContext call)
    {
        check.Check(request.Namespace);
        if (request.SignalName.Length == 0) throw RpcErrors.Invalid("SignalName is not set on request.");
        if (request.SignalName.Length > LongestId) throw RpcErrors.Invalid("SignalName length exceeds limit.");
        var start = AsStart(request);
        Validate(start);
        var policies = Policies(start);
        // A run that is open gets the signal, unless it is to be replaced.
        if (policies.Conflict != WorkflowIdConflictPolicy.TerminateExisting) policies = policies with { Conflict = WorkflowIdConflictPolicy.UseExisting };
        var signal = new External.Signal(request.SignalName, request.SignalInput, request.Identity, request.Header, request.RequestId) { Links = request.Links };
        var runId = Guid.CreateVersion7();
        var result = await starter.StartAsync(
            request.Namespace, request.WorkflowId, request.RequestId, policies,
            now => Begin(start, runId, now, change => change.AddSignal(signal)),
            change => change.AddSignal(signal, wakes: true),
            call.CancellationToken);
        return new SignalWithStartWorkflowExecutionResponse { RunId = result.RunId.ToString(), Started = result.Started };
    }

    private RunChange Begin(StartWorkflowExecutionRequest request, Guid runId, DateTimeOffset now, Action<RunChange>? beforeFirstTask) => NewRuns.Begin(
        host,
        new NewRunOptions(request.Namespace, runId, request.RequestId) { UserMetadata = request.UserMetadata, Links = request.Links },
        Attributes(request, now), now, beforeFirstTask);

    private static WorkflowExecutionStartedEventAttributes Attributes(StartWorkflowExecutionRequest request, DateTimeOffset now)
    {
        var executionTimeout = request.WorkflowExecutionTimeout.ToSpan();
        var runTimeout = request.WorkflowRunTimeout.ToSpan();
        if (executionTimeout > TimeSpan.Zero && (runTimeout == TimeSpan.Zero || runTimeout > executionTimeout)) runTimeout = executionTimeout;
        var taskTimeout = request.WorkflowTaskTimeout.ToSpan() is { Ticks: > 0 } given ? given : Children.DefaultTaskTimeout;
        if (taskTimeout > LongestTaskTimeout) taskTimeout = LongestTaskTimeout;
        if (runTimeout > TimeSpan.Zero && taskTimeout > runTimeout) taskTimeout = runTimeout;
        var backoff = request.CronSchedule.Length > 0 ? Cron.TryParse(request.CronSchedule)?.Delay(now, now) ?? TimeSpan.Zero : request.WorkflowStartDelay.ToSpan();
        return new WorkflowExecutionStartedEventAttributes
        {
            WorkflowId = request.WorkflowId,
            WorkflowType = request.WorkflowType,
            TaskQueue = new() { Name = request.TaskQueue.Name, Kind = TaskQueueKind.Normal },
            Input = request.Input,
            Header = request.Header,
            // Left open where the client leaves it open, as clients show it so.
            WorkflowExecutionTimeout = executionTimeout > TimeSpan.Zero ? executionTimeout.ToDuration() : request.WorkflowExecutionTimeout,
            WorkflowExecutionExpirationTime = executionTimeout > TimeSpan.Zero ? (now + executionTimeout).ToTimestamp() : null,
            WorkflowRunTimeout = runTimeout > TimeSpan.Zero ? runTimeout.ToDuration() : request.WorkflowRunTimeout,
            WorkflowTaskTimeout = taskTimeout.ToDuration(),
            Identity = request.Identity,
            RetryPolicy = request.RetryPolicy is null ? null : Retries.WithDefaults(request.RetryPolicy),
            CronSchedule = request.CronSchedule,
            Memo = request.Memo,
            SearchAttributes = request.SearchAttributes,
            Attempt = 1,
            FirstWorkflowTaskBackoff = backoff.ToDuration(),
            ContinuedFailure = request.ContinuedFailure,
            LastCompletionResult = request.LastCompletionResult,
            Initiator = request.CronSchedule.Length > 0 ? ContinueAsNewInitiator.CronSchedule : ContinueAsNewInitiator.Unspecified,
            CompletionCallbacks = { request.CompletionCallbacks },
            Priority = request.Priority,
        };
    }

    private static IdPolicies Policies(StartWorkflowExecutionRequest request)
    {
        var reuse = request.WorkflowIdReusePolicy == WorkflowIdReusePolicy.Unspecified ? WorkflowIdReusePolicy.AllowDuplicate : request.WorkflowIdReusePolicy;
        var conflict = request.WorkflowIdConflictPolicy;
        if (reuse == WorkflowIdReusePolicy.TerminateIfRunning)
        {
            if (conflict != WorkflowIdConflictPolicy.Unspecified)
            {
                throw RpcErrors.Invalid("Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a WorkflowIdConflictPolicy.");
            }
            return new(WorkflowIdReusePolicy.AllowDuplicate, WorkflowIdConflictPolicy.TerminateExisting);
        }
        if (conflict == WorkflowIdConflictPolicy.TerminateExisting && reuse == WorkflowIdReusePolicy.RejectDuplicate)
        {
            throw RpcErrors.Invalid(
                "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING.");
        }
        return new(reuse, conflict == WorkflowIdConflictPolicy.Unspecified ? WorkflowIdConflictPolicy.Fail : conflict);
    }

    private void Validate(StartWorkflowExecutionRequest request)
    {
        Required(request.WorkflowId, "WorkflowId");
        Required(request.WorkflowType?.Name, "WorkflowType");
        if (string.IsNullOrEmpty(request.TaskQueue?.Name)) throw RpcErrors.Invalid("missing task queue name");
        if (request.TaskQueue.Name.Length > LongestId) throw RpcErrors.Invalid("taskQueue length exceeds limit");
        if (request.RequestId.Length > LongestId) throw RpcErrors.Invalid("RequestId length exceeds limit.");
        NotNegative(request.WorkflowExecutionTimeout.ToSpan(), "WorkflowExecutionTimeout");
        NotNegative(request.WorkflowRunTimeout.ToSpan(), "WorkflowRunTimeout");
        NotNegative(request.WorkflowTaskTimeout.ToSpan(), "WorkflowTaskTimeout");
        NotNegative(request.WorkflowStartDelay.ToSpan(), "WorkflowStartDelay");
        if (request.CronSchedule.Length > 0)
        {
            if (Cron.TryParse(request.CronSchedule) is null) throw RpcErrors.Invalid("invalid CronSchedule.");
            if (request.WorkflowStartDelay.ToSpan() > TimeSpan.Zero) throw RpcErrors.Invalid("CronSchedule and WorkflowStartDelay may not be used together.");
        }
        if (request.RetryPolicy is { } policy && Retries.Fault(Retries.WithDefaults(policy)) is { } fault) throw RpcErrors.Invalid(fault);
        if (request.SearchAttributes is { } attributes && searchAttributes.Fault(request.Namespace, attributes) is { } unknown) throw RpcErrors.Invalid(unknown);
        Small(request.Input, "Input");
        Small(request.Memo, "Memo");
        if (request.RequestId.Length == 0) request.RequestId = Guid.NewGuid().ToString();
    }

    private static StartWorkflowExecutionRequest AsStart(SignalWithStartWorkflowExecutionRequest request) => new()
    {
        Namespace = request.Namespace,
        WorkflowId = request.WorkflowId,
        WorkflowType = request.WorkflowType,
        TaskQueue = request.TaskQueue,
        Input = request.Input,
        WorkflowExecutionTimeout = request.WorkflowExecutionTimeout,
        WorkflowRunTimeout = request.WorkflowRunTimeout,
        WorkflowTaskTimeout = request.WorkflowTaskTimeout,
        Identity = request.Identity,
        RequestId = request.RequestId,
        WorkflowIdReusePolicy = request.WorkflowIdReusePolicy,
        WorkflowIdConflictPolicy = request.WorkflowIdConflictPolicy,
        RetryPolicy = request.RetryPolicy,
        CronSchedule = request.CronSchedule,
        Memo = request.Memo,
        SearchAttributes = request.SearchAttributes,
        Header = request.Header,
        WorkflowStartDelay = request.WorkflowStartDelay,
        UserMetadata = request.UserMetadata,
        Priority = request.Priority,
        Links = { request.Links },
    };

    private static void Required(string? value, string field)
    {
        if (string.IsNullOrEmpty(value)) throw RpcErrors.Invalid($"{field} is not set on request.");
        if (value.Length > LongestId) throw RpcErrors.Invalid($"{field} length exceeds limit.");
    }

    private static void NotNegative(TimeSpan value, string field)
    {
        if (value < TimeSpan.Zero) throw RpcErrors.Invalid($"An invalid {field} is set on request: negative duration");
    }

    private static void Small(IMessage? payload, string field)
    {
        if (payload?.CalculateSize() > LargestPayload) throw RpcErrors.Invalid($"Blob data size exceeds limit: {field} must be at most {LargestPayload} bytes.");
    }
}
