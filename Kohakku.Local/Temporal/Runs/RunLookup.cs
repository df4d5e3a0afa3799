using Grpc.Core;
using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Common.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>Which run a request means: the one it names, or the latest of the workflow id.</summary>
internal sealed class RunLookup(RunHost host)
{
    /// <exception cref="RpcException">INVALID_ARGUMENT: no workflow id, or a run id that is none. NOT_FOUND: there is no such run.</exception>
    public async Task<RunKey> FindAsync(string @namespace, WorkflowExecution? execution, CancellationToken cancellationToken)
    {
        if (execution is null) throw Invalid("Execution is not set on request.");
        if (execution.WorkflowId.Length == 0) throw Invalid("WorkflowId is not set on request.");
        if (execution.RunId.Length > 0)
        {
            if (!Guid.TryParse(execution.RunId, out var runId)) throw Invalid("Invalid RunId.");
            var key = new RunKey(@namespace, runId);
            // The run must be of that workflow; what its id alone would find is another's.
            if (await host.ReadAsync(key, run => ValueTask.FromResult(run.State!.WorkflowId == execution.WorkflowId), cancellationToken)) return key;
            throw NotFound(execution);
        }
        return await host.CurrentAsync(@namespace, execution.WorkflowId, cancellationToken) is { } current ? new RunKey(@namespace, current) : throw NotFound(execution);
    }

    /// <summary>
    /// Changes the run that is meant. When none is named, and the latest has continued as another meanwhile, that one is changed instead.
    /// </summary>
    public async Task<T> ChangeAsync<T>(
        string @namespace, WorkflowExecution? execution, Func<RunChange, ValueTask> change, Func<Run, ValueTask<T>> answer, CancellationToken cancellationToken)
    {
        while (true)
        {
            var key = await FindAsync(@namespace, execution, cancellationToken);
            var moved = false;
            var result = await host.ChangeAsync(
                key,
                async made =>
                {
                    moved = execution!.RunId.Length == 0 && !made.State.IsRunning && await host.CurrentAsync(@namespace, execution.WorkflowId, cancellationToken) != key.RunId;
                    if (!moved) await change(made);
                },
                async run => moved ? default : await answer(run),
                cancellationToken);
            if (!moved) return result!;
        }
    }

    public Task ChangeAsync(string @namespace, WorkflowExecution? execution, Action<RunChange> change, CancellationToken cancellationToken) => ChangeAsync(
        @namespace, execution,
        made =>
        {
            change(made);
            return ValueTask.CompletedTask;
        },
        static _ => ValueTask.FromResult(true),
        cancellationToken);

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));

    private static RpcException NotFound(WorkflowExecution execution) => new(new Status(
        StatusCode.NotFound,
        execution.RunId.Length > 0
            ? $"workflow execution not found for workflow ID \"{execution.WorkflowId}\" and run ID \"{execution.RunId}\""
            : $"workflow not found for ID: {execution.WorkflowId}"));
}
