using Google.Protobuf;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Converters;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>
/// A worker that does what no SDK's would: takes a task and is never heard of again, or answers at the moment that a test chooses. To the server
/// the former is what a killed worker is.
/// </summary>
internal sealed class RawWorker(ITemporalClient client, string taskQueue)
{
    public const string Identity = "raw-worker";

    private TaskQueue Queue => new() { Name = taskQueue, Kind = TaskQueueKind.Normal };

    public static Payload Json(object? value) => DataConverter.Default.PayloadConverter.ToPayload(value);

    /// <summary>The one value that there is, as the text of its JSON.</summary>
    public static string Text(Payloads payloads) => payloads.Payloads_.Single().Data.ToStringUtf8();

    /// <summary>Takes the next workflow task; an empty token says that there was none.</summary>
    public Task<PollWorkflowTaskQueueResponse> TakeWorkflowTaskAsync(CancellationToken cancellationToken) =>
        client.WorkflowService.PollWorkflowTaskQueueAsync(
            new() { Namespace = client.Options.Namespace, TaskQueue = Queue, Identity = Identity },
            new() { Timeout = TimeSpan.FromSeconds(70), CancellationToken = cancellationToken });

    public Task<PollActivityTaskQueueResponse> TakeActivityTaskAsync(CancellationToken cancellationToken) =>
        client.WorkflowService.PollActivityTaskQueueAsync(
            new() { Namespace = client.Options.Namespace, TaskQueue = Queue, Identity = Identity },
            new() { Timeout = TimeSpan.FromSeconds(70), CancellationToken = cancellationToken });

    public Task<RespondWorkflowTaskCompletedResponse> CompleteAsync(ByteString token, StickyExecutionAttributes? sticky, params IEnumerable<Command> commands) =>
        client.WorkflowService.RespondWorkflowTaskCompletedAsync(new()
        {
            Namespace = client.Options.Namespace,
            TaskToken = token,
            Identity = Identity,
            StickyAttributes = sticky,
            Commands = { commands },
        });

    public static Command CompleteWorkflow(object? result) => new()
    {
        CommandType = CommandType.CompleteWorkflowExecution,
        CompleteWorkflowExecutionCommandAttributes = new() { Result = new Payloads { Payloads_ = { Json(result) } } },
    };

    public static Command StartTimer(string id) => new()
    {
        CommandType = CommandType.StartTimer,
        StartTimerCommandAttributes = new() { TimerId = id, StartToFireTimeout = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromHours(1)) },
    };
}
