using System.Reflection;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>
/// What holds for every history whatever made it: its events are numbered without a gap, nothing follows its end, what an
/// event refers to is there, and the code that made it can be run by it again.
/// </summary>
internal static class Histories
{
    private static readonly HashSet<EventType> Ends =
    [
        EventType.WorkflowExecutionCompleted, EventType.WorkflowExecutionFailed, EventType.WorkflowExecutionTimedOut, EventType.WorkflowExecutionCanceled,
        EventType.WorkflowExecutionTerminated, EventType.WorkflowExecutionContinuedAsNew,
    ];

    /// <summary>The workflows that any of the tests' workers runs. Those nested in a test class are variants of one of them and only that test's.</summary>
    public static readonly IReadOnlyList<Type> WorkflowTypes =
        [.. typeof(Histories).Assembly.GetTypes().Where(type => type is { IsNested: false, Namespace: var name }
            && name == typeof(Histories).Namespace && type.GetCustomAttribute<WorkflowAttribute>() is not null)];

    /// <summary>Every run that the server has, children and earlier runs as well.</summary>
    public static async Task CheckAllAsync(ITemporalClient client)
    {
        var known = WorkflowTypes.Select(type => WorkflowDefinition.Create(type).Name!).ToHashSet();
        var histories = new List<WorkflowHistory>();
        await foreach (var run in client.ListWorkflowsAsync(""))
        {
            var events = (await client.GetWorkflowHandle(run.Id, run.RunId).FetchHistoryAsync()).Events.ToList();
            CheckEvents($"{run.WorkflowType} {run.Id}/{run.RunId}", events);
            // What no worker ever ran has nothing to be run again.
            if (known.Contains(run.WorkflowType) && events.Exists(item => item.EventType == EventType.WorkflowTaskCompleted))
            {
                histories.Add(new WorkflowHistory(run.Id, events));
            }
        }
        await CheckReplayAsync(histories);
    }

    private static void CheckEvents(string run, List<HistoryEvent> events)
    {
        Assert.True(events.Count > 0, $"{run} has no history");
        Assert.True(events[0].EventType == EventType.WorkflowExecutionStarted, $"{run} begins with {events[0].EventType}");
        for (var index = 0; index < events.Count; index++)
        {
            var item = events[index];
            Assert.True(item.EventId == index + 1, $"{run} has the event {item.EventId} at {index + 1}");
            Assert.True(!Ends.Contains(item.EventType) || index == events.Count - 1, $"{run} goes on after its end at {item.EventId}");
            foreach (var (reference, type) in References(item))
            {
                Assert.True(
                    reference > 0 && reference < item.EventId && events[(int)reference - 1].EventType == type,
                    $"{run}: {item.EventType} {item.EventId} refers to {reference}, which is no {type}");
            }
        }
    }

    private static IEnumerable<(long EventId, EventType Type)> References(HistoryEvent item) => item.EventType switch
    {
        EventType.WorkflowTaskStarted => [(item.WorkflowTaskStartedEventAttributes.ScheduledEventId, EventType.WorkflowTaskScheduled)],
        EventType.WorkflowTaskCompleted =>
        [
            (item.WorkflowTaskCompletedEventAttributes.ScheduledEventId, EventType.WorkflowTaskScheduled),
            (item.WorkflowTaskCompletedEventAttributes.StartedEventId, EventType.WorkflowTaskStarted),
        ],
        EventType.ActivityTaskScheduled => [(item.ActivityTaskScheduledEventAttributes.WorkflowTaskCompletedEventId, EventType.WorkflowTaskCompleted)],
        EventType.ActivityTaskStarted => [(item.ActivityTaskStartedEventAttributes.ScheduledEventId, EventType.ActivityTaskScheduled)],
        EventType.ActivityTaskCompleted =>
        [
            (item.ActivityTaskCompletedEventAttributes.ScheduledEventId, EventType.ActivityTaskScheduled),
            (item.ActivityTaskCompletedEventAttributes.StartedEventId, EventType.ActivityTaskStarted),
        ],
        EventType.ActivityTaskFailed =>
        [
            (item.ActivityTaskFailedEventAttributes.ScheduledEventId, EventType.ActivityTaskScheduled),
            (item.ActivityTaskFailedEventAttributes.StartedEventId, EventType.ActivityTaskStarted),
        ],
        EventType.ActivityTaskTimedOut => [(item.ActivityTaskTimedOutEventAttributes.ScheduledEventId, EventType.ActivityTaskScheduled)],
        EventType.ActivityTaskCanceled => [(item.ActivityTaskCanceledEventAttributes.ScheduledEventId, EventType.ActivityTaskScheduled)],
        EventType.TimerFired => [(item.TimerFiredEventAttributes.StartedEventId, EventType.TimerStarted)],
        EventType.TimerCanceled => [(item.TimerCanceledEventAttributes.StartedEventId, EventType.TimerStarted)],
        EventType.ChildWorkflowExecutionStarted =>
            [(item.ChildWorkflowExecutionStartedEventAttributes.InitiatedEventId, EventType.StartChildWorkflowExecutionInitiated)],
        EventType.ChildWorkflowExecutionCompleted =>
        [
            (item.ChildWorkflowExecutionCompletedEventAttributes.InitiatedEventId, EventType.StartChildWorkflowExecutionInitiated),
            (item.ChildWorkflowExecutionCompletedEventAttributes.StartedEventId, EventType.ChildWorkflowExecutionStarted),
        ],
        EventType.WorkflowExecutionUpdateCompleted =>
            [(item.WorkflowExecutionUpdateCompletedEventAttributes.AcceptedEventId, EventType.WorkflowExecutionUpdateAccepted)],
        EventType.WorkflowExecutionCompleted =>
            [(item.WorkflowExecutionCompletedEventAttributes.WorkflowTaskCompletedEventId, EventType.WorkflowTaskCompleted)],
        _ => [],
    };

    private static async Task CheckReplayAsync(List<WorkflowHistory> histories)
    {
        var options = new WorkflowReplayerOptions { Namespace = TemporalServerFixture.Namespace };
        foreach (var type in WorkflowTypes) options.AddWorkflow(type);
        var replayed = await new WorkflowReplayer(options).ReplayWorkflowsAsync(histories, throwOnReplayFailure: false);
        Assert.Empty(replayed.Where(result => result.ReplayFailure is not null).Select(result => $"{result.History.Id}: {result.ReplayFailure}"));
    }
}
