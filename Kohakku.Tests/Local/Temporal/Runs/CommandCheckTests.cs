using Google.Protobuf;
using Kohakku.Local.Temporal.Runs;
using Kohakku.Local.Temporal.Runs.Commands;
using Kohakku.Local.Temporal.Visibility;
using Npgsql;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Tests.Local.Temporal.Runs;

public sealed class CommandCheckTests : IDisposable
{
    private static readonly Payloads Large = new() { Payloads_ = { new Payload { Data = ByteString.CopyFrom(new byte[2 * 1024 * 1024 + 1]) } } };
    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create("Host=none");
    private readonly SearchAttributeRegistry _registry;
    private readonly PureRun _run = new();

    public CommandCheckTests() => _registry = new SearchAttributeRegistry(_database, TimeProvider.System);

    public void Dispose()
    {
        _run.Dispose();
        _registry.Dispose();
        _database.Dispose();
    }

    [Fact]
    public void What_makes_sense_has_no_fault() => Assert.Null(Fault(
        Commands.Activity("a"), Commands.Activity("b"), Commands.Timer("a"), Commands.CancelTimer("a"), Commands.Timer("a"), Commands.Child("child"), Commands.SignalOther("child"),
        Commands.CancelOther("other"), Commands.Complete()));

    [Theory]
    [InlineData(WorkflowTaskFailedCause.BadScheduleActivityAttributes, "ActivityId is not set on ScheduleActivityTaskCommand.", "activityId", "")]
    [InlineData(WorkflowTaskFailedCause.BadScheduleActivityAttributes, "ActivityType is not set on ScheduleActivityTaskCommand.", "activityType", "")]
    [InlineData(WorkflowTaskFailedCause.BadScheduleActivityAttributes, "invalid HeartbeatTimeout: negative duration", "heartbeat", "-1")]
    [InlineData(WorkflowTaskFailedCause.BadScheduleActivityAttributes, "a valid StartToCloseTimeout or ScheduleToCloseTimeout must be set on the activity. ActivityId=a ActivityType=Do", "startToClose", "0")]
    [InlineData(WorkflowTaskFailedCause.BadScheduleActivityAttributes, "BackoffCoefficient cannot be less than 1 on retry policy.", "backoff", "0.5")]
    public void An_activity_that_makes_no_sense_is_refused(WorkflowTaskFailedCause cause, string message, string field, string value) => Assert.Equal(
        new CommandFault(cause, message),
        Fault(Commands.Activity("a", command =>
        {
            if (field == "activityId") command.ActivityId = value;
            else if (field == "activityType") command.ActivityType.Name = value;
            else if (field == "heartbeat") command.HeartbeatTimeout = new() { Seconds = long.Parse(value, null) };
            else if (field == "startToClose") command.StartToCloseTimeout = new() { Seconds = long.Parse(value, null) };
            else command.RetryPolicy = new() { BackoffCoefficient = double.Parse(value, System.Globalization.CultureInfo.InvariantCulture) };
        })));

    [Fact]
    public void An_id_is_used_once_at_a_time()
    {
        Assert.Equal(WorkflowTaskFailedCause.ScheduleActivityDuplicateId, Fault(Commands.Activity("a"), Commands.Activity("a"))?.Cause);
        Assert.Equal(WorkflowTaskFailedCause.StartTimerDuplicateId, Fault(Commands.Timer("a"), Commands.Timer("a"))?.Cause);
        _run.DoTask(Commands.Activity("a"), Commands.Timer("a"));
        Assert.Equal(new CommandFault(WorkflowTaskFailedCause.ScheduleActivityDuplicateId, "ActivityId already in use: a"), Fault(Commands.Activity("a")));
        Assert.Equal(new CommandFault(WorkflowTaskFailedCause.StartTimerDuplicateId, "TimerId already in use: a"), Fault(Commands.Timer("a")));
        // Free again once it is canceled.
        Assert.Null(Fault(Commands.CancelActivity(Scheduled), Commands.Activity("a"), Commands.CancelTimer("a"), Commands.Timer("a")));
    }

    [Fact]
    public void An_activity_that_a_worker_has_keeps_its_id_until_it_ends()
    {
        _run.DoTask(Commands.Activity("a"));
        _run.StartActivity(_run.State.Activities.Values.Single());
        Assert.Equal(WorkflowTaskFailedCause.ScheduleActivityDuplicateId, Fault(Commands.CancelActivity(Scheduled), Commands.Activity("a"))?.Cause);
    }

    [Fact]
    public void What_is_not_there_can_not_be_canceled()
    {
        Assert.Equal(new CommandFault(WorkflowTaskFailedCause.BadCancelTimerAttributes, "unknown timer t"), Fault(Commands.CancelTimer("t")));
        Assert.Equal(new CommandFault(WorkflowTaskFailedCause.BadRequestCancelActivityAttributes, "unknown activity with schedule event id 99"), Fault(Commands.CancelActivity(99)));
    }

    [Fact]
    public void An_operation_of_Nexus_finds_no_endpoint() => Assert.Equal(
        new CommandFault(WorkflowTaskFailedCause.BadScheduleNexusOperationAttributes, "endpoint \"billing\" not found"),
        Fault(new Command { CommandType = CommandType.ScheduleNexusOperation, ScheduleNexusOperationCommandAttributes = new() { Endpoint = "billing" } }));

    [Fact]
    public void What_ended_while_the_task_ran_can_be_canceled()
    {
        _run.DoTask(Commands.Activity("a"), Commands.Timer("t", seconds: 1));
        var scheduled = Scheduled;
        _run.StartActivity(_run.State.Activities.Values.Single());
        _run.Signal("wakes");
        _run.StartTask();
        _run.Time.Advance(TimeSpan.FromSeconds(1));
        _run.Fire();
        Assert.Equal(WorkflowTaskFailedCause.UnhandledCommand, Fault(Commands.Complete())?.Cause);
        Assert.Null(Fault(Commands.CancelTimer("t"), Commands.Complete()));
        Assert.Equal(WorkflowTaskFailedCause.BadCancelTimerAttributes, Fault(Commands.CancelTimer("t"), Commands.CancelTimer("t"))?.Cause);
        _run.Change(change => change.CompleteActivity(change.State.Activities[scheduled], null, "worker"));
        Assert.Null(Fault(Commands.CancelActivity(scheduled)));
    }

    [Fact]
    public void A_run_does_not_end_over_what_it_has_not_seen()
    {
        _run.StartTask();
        Assert.Null(Fault(Commands.Complete()));
        _run.Signal("new");
        Assert.Equal(WorkflowTaskFailedCause.UnhandledCommand, Fault(Commands.Complete())?.Cause);
        Assert.Null(Fault(Commands.Timer("t")));
    }

    [Fact]
    public void Nothing_follows_the_end_of_a_run()
    {
        var fault = Fault(Commands.Complete(), Commands.Timer("t"));
        Assert.Equal("invalid command sequence: [CompleteWorkflowExecution, StartTimer], command CompleteWorkflowExecution must be the last command.", fault?.Detail);
        Assert.NotNull(Fault(Commands.Complete(), Commands.Complete()));
    }

    [Fact]
    public void A_child_that_is_just_being_started_can_not_be_asked_to_cancel() => Assert.Equal(
        WorkflowTaskFailedCause.BadRequestCancelExternalWorkflowExecutionAttributes, Fault(Commands.Child("child"), Commands.CancelOther("child"))?.Cause);

    [Fact]
    public void There_is_a_limit_to_what_is_under_way_at_once()
    {
        (WorkflowTaskFailedCause Cause, Func<int, Command> Command)[] cases =
        [
            (WorkflowTaskFailedCause.PendingActivitiesLimitExceeded, number => Commands.Activity($"{number}")),
            (WorkflowTaskFailedCause.PendingChildWorkflowsLimitExceeded, number => Commands.Child($"{number}")),
            (WorkflowTaskFailedCause.PendingSignalsLimitExceeded, number => Commands.SignalOther($"{number}")),
            (WorkflowTaskFailedCause.PendingRequestCancelLimitExceeded, number => Commands.CancelOther($"{number}")),
        ];
        foreach (var (cause, command) in cases)
        {
            var most = Enumerable.Range(0, 2000).Select(command).ToList();
            Assert.Null(Fault([.. most]));
            Assert.Equal(cause, Fault([.. most, command(2000)])?.Cause);
        }
    }

    [Fact]
    public void A_payload_that_is_too_large_ends_the_run()
    {
        Command[] commands =
        [
            Commands.Activity("a", command => command.Input = Large),
            new() { CommandType = CommandType.CompleteWorkflowExecution, CompleteWorkflowExecutionCommandAttributes = new() { Result = Large } },
            new() { CommandType = CommandType.CancelWorkflowExecution, CancelWorkflowExecutionCommandAttributes = new() { Details = Large } },
            new() { CommandType = CommandType.RecordMarker, RecordMarkerCommandAttributes = new() { MarkerName = "m", Details = { ["d"] = Large } } },
            new()
            {
                CommandType = CommandType.ContinueAsNewWorkflowExecution, ContinueAsNewWorkflowExecutionCommandAttributes = new() { WorkflowType = new() { Name = "Type" }, Input = Large },
            },
        ];
        foreach (var command in commands) Assert.True(Fault(command)?.TerminatesRun, $"{command.CommandType}");
    }

    [Fact]
    public void A_command_without_its_attributes_is_refused_whatever_its_kind()
    {
        foreach (var type in Enum.GetValues<CommandType>()) Assert.NotNull(Fault(new Command { CommandType = type }));
    }

    [Fact]
    public void A_search_attribute_that_is_not_registered_is_refused() => Assert.Equal(
        WorkflowTaskFailedCause.BadSearchAttributes,
        Fault(new Command
        {
            CommandType = CommandType.UpsertWorkflowSearchAttributes,
            UpsertWorkflowSearchAttributesCommandAttributes = new() { SearchAttributes = new() { IndexedFields = { ["Unknown"] = new Payload { Data = ByteString.CopyFromUtf8("1") } } } },
        })?.Cause);

    private long Scheduled => _run.State.Activities.Values.Single().ScheduledId;

    private CommandFault? Fault(params Command[] commands) => CommandCheck.Fault(_run.State, new() { Commands = { commands } }, _registry);
}
