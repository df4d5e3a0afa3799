using Kohakku.Local.Temporal.Runs.State;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>What comes to a run from outside: signals and requests to cancel, of clients and of other runs; and the answers to its own.</summary>
internal static class External
{
    /// <summary>What is known of a signal's sender and content.</summary>
    /// <param name="From">The run that sent it; null for a client.</param>
    public sealed record Signal(string Name, Payloads? Input, string Identity, Header? Header, string RequestId, WorkflowExecution? From = null)
    {
        public IEnumerable<Link> Links { get; init; } = [];
    }

    /// <param name="wakes">A workflow task is scheduled even if the first one has to wait still.</param>
    public static void AddSignal(this RunChange change, Signal signal, bool wakes = false)
    {
        if (!change.Remember(signal.RequestId)) return;
        change.State.SignalCount++;
        change.Add(new HistoryEvent
        {
            WorkflowExecutionSignaledEventAttributes = new()
            {
                SignalName = signal.Name,
                Input = signal.Input,
                Identity = signal.Identity,
                Header = signal.Header,
                ExternalWorkflowExecution = signal.From,
                RequestId = signal.RequestId,
            },
            Links = { signal.Links },
        });
        if (wakes) change.State.FirstTaskAt = null;
        change.EnsureTask();
    }

    /// <summary>A second request changes nothing. The run is told at once, even if its first workflow task has to wait still.</summary>
    public static void RequestCancel(this RunChange change, string reason, string identity, long initiatedId = 0, WorkflowExecution? from = null, IEnumerable<Link>? links = null)
    {
        if (change.State.CancelRequested) return;
        change.State.CancelRequested = true;
        change.Add(new HistoryEvent
        {
            WorkflowExecutionCancelRequestedEventAttributes = new()
            {
                Cause = reason, Identity = identity, ExternalInitiatedEventId = initiatedId, ExternalWorkflowExecution = from,
            },
            Links = { links ?? [] },
        });
        change.State.FirstTaskAt = null;
        change.EnsureTask();
    }

    /// <summary>The signal or cancel that the run sent has arrived, or can't.</summary>
    public static void AnswerRequest(this RunChange change, ExternalRequestState request, long completedId, bool notFound)
    {
        change.State.ExternalRequests.Remove(request.InitiatedId);
        change.Touch(request);
        var execution = new WorkflowExecution { WorkflowId = request.WorkflowId, RunId = request.RunId };
        var namespaceId = change.Run.Host.NamespaceId(request.Namespace);
        change.Add((request.Signal, notFound) switch
        {
            (true, false) => new HistoryEvent
            {
                ExternalWorkflowExecutionSignaledEventAttributes = new()
                {
                    InitiatedEventId = request.InitiatedId, Namespace = request.Namespace, NamespaceId = namespaceId, WorkflowExecution = execution,
                    Control = request.Control,
                },
            },
            (true, true) => new HistoryEvent
            {
                SignalExternalWorkflowExecutionFailedEventAttributes = new()
                {
                    Cause = SignalExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound, WorkflowTaskCompletedEventId = completedId,
                    InitiatedEventId = request.InitiatedId, Namespace = request.Namespace, NamespaceId = namespaceId, WorkflowExecution = execution,
                    Control = request.Control,
                },
            },
            (false, false) => new HistoryEvent
            {
                ExternalWorkflowExecutionCancelRequestedEventAttributes = new()
                {
                    InitiatedEventId = request.InitiatedId, Namespace = request.Namespace, NamespaceId = namespaceId, WorkflowExecution = execution,
                },
            },
            (false, true) => new HistoryEvent
            {
                RequestCancelExternalWorkflowExecutionFailedEventAttributes = new()
                {
                    Cause = CancelExternalWorkflowExecutionFailedCause.ExternalWorkflowExecutionNotFound, WorkflowTaskCompletedEventId = completedId,
                    InitiatedEventId = request.InitiatedId, Namespace = request.Namespace, NamespaceId = namespaceId, WorkflowExecution = execution,
                    Control = request.Control,
                },
            },
        });
        change.EnsureTask();
    }

}
