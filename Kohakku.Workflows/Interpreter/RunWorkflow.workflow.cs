using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Activities;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Kohakku.Workflows.Interpreter;

/// <summary>What a run's Temporal workflow begins with, and goes on with.</summary>
public sealed record RunInput
{
    /// <summary>Which engine interprets it: <see cref="RunMachine.Engine"/> when the run was made. A worker that has no such engine leaves the run alone.</summary>
    public required int Engine { get; init; }
    public required Guid RunId { get; init; }
    /// <summary>
    /// How often the run was given to Temporal anew, from the controller's rows: after a restore, say. Turns of a workflow of an earlier incarnation, which may
    /// still be there, are refused.
    /// </summary>
    public int Incarnation { get; init; }
    public required RunPlan Plan { get; init; }
    /// <summary>Steps that an earlier run has done.</summary>
    public IReadOnlyList<StepRecord> Reused { get; init; } = [];
    /// <summary>Null at the run's begin; else what the execution before left behind.</summary>
    public MachineState? State { get; init; }
}

/// <summary>What has happened to a run, in the order of its inbox. The next is sent when this one was taken.</summary>
/// <param name="Through">The number of the last entry.</param>
public sealed record InboxBatch(
    long Through, IReadOnlyList<UnitEnded> Ended, IReadOnlyList<Decision> Decided, IReadOnlyList<SignalReceived> Signals);

/// <summary>How a run stands, as its workflow knows it; more, with times and outputs, is at the controller.</summary>
public sealed record RunStanding(RunState State, int Turns, IReadOnlyList<StepStanding> Steps);

public sealed record StepStanding(string Id, StepState State, int Items, int Running, int Succeeded, int Failed);

/// <summary>
/// A run of a workflow definition on Temporal: it carries events to <see cref="RunMachine"/> and turns to the activity, and nothing else. Its id is
/// <c>run-{runId}</c>, and it is always addressed by that alone, because a long run goes on as a new execution. What it does must be the same on
/// every replay: no clock but Temporal's, no text of a definition, no collection without an order.
/// </summary>
[Workflow("kohakku-run")]
public sealed class RunWorkflow
{
    /// <summary>Well before the server's own suggestion, which comes at 4,096.</summary>
    private const int LongestHistory = 2_000;

    private static readonly ActivityOptions AdvanceOptions = new()
    {
        StartToCloseTimeout = TimeSpan.FromSeconds(60),
        HeartbeatTimeout = RunActivities.HeartbeatTimeout,
        RetryPolicy = new() { InitialInterval = TimeSpan.FromMilliseconds(200), BackoffCoefficient = 2, MaximumInterval = TimeSpan.FromSeconds(10) },
    };

    private readonly RunInput _input;
    private readonly RunMachine _machine;
    private int _webhooks;
    private bool _happened;
    private Task? _timer;
    private DateTimeOffset? _timerDue;
    private CancellationTokenSource? _timerCancellation;

    [WorkflowInit]
    public RunWorkflow(RunInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        // It fails the workflow task, not the workflow: a worker that has the engine takes it up.
        if (input.Engine != RunMachine.Engine) throw new InvalidOperationException($"This worker has no engine {input.Engine}.");
        _input = input;
        _machine = new RunMachine(input.Plan, input.State ?? RunMachine.Begin(input.Plan, input.Reused, Now), input.RunId);
    }

    private static DateTimeOffset Now => new(Workflow.UtcNow, TimeSpan.Zero);

    public static string IdOf(Guid runId) => $"run-{runId}";

    /// <summary>Answers how the run ended. The workflow itself succeeds whatever the run does; it fails only when the run is gone.</summary>
    [WorkflowRun]
    public async Task<RunState> RunAsync(RunInput input)
    {
        while (!_machine.Ended)
        {
            _machine.Draining = Workflow.CurrentHistoryLength >= LongestHistory || Workflow.ContinueAsNewSuggested;
            if (_machine.Draining && _webhooks == 0 && Workflow.AllHandlersFinished)
            {
                var rest = _input with { Reused = [], State = _machine.State };
                throw Workflow.CreateContinueAsNewException((RunWorkflow workflow) => workflow.RunAsync(rest));
            }

            if (_machine.NextTurn(Now) is { } next)
            {
                var turn = next with { Incarnation = _input.Incarnation };
                var result = await Workflow.ExecuteActivityAsync((RunActivities activities) => activities.AdvanceAsync(turn), AdvanceOptions);
                _machine.Apply(turn, result, Now);
                foreach (var webhook in _machine.TakeWebhooks()) _ = CallAsync(webhook);
            }
            else await WaitAsync();
        }

        return _machine.State.Run;
    }

    [WorkflowSignal("inbox")]
    public Task TakeInboxAsync(InboxBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (!_machine.Take(batch.Through)) return Task.CompletedTask;
        foreach (var ended in batch.Ended) _machine.End(ended);
        foreach (var decision in batch.Decided) _machine.Decide(decision);
        foreach (var signal in batch.Signals) _machine.Receive(signal);
        _happened = true;
        return Task.CompletedTask;
    }

    /// <summary>False when it was paused already.</summary>
    [WorkflowUpdate("pause")]
    public Task<bool> PauseAsync() => Happened(_machine.Pause());

    /// <summary>False when it was not paused.</summary>
    [WorkflowUpdate("resume")]
    public Task<bool> ResumeAsync() => Happened(_machine.Resume());

    /// <summary>False when it was being canceled already.</summary>
    [WorkflowUpdate("cancel")]
    public Task<bool> CancelAsync(string by) => Happened(_machine.Cancel(by));

    [WorkflowUpdateValidator(nameof(PauseAsync))]
    public void ValidatePause()
    {
        if (_machine.State.Stopping is not null) throw new ApplicationFailureException("The run is ending.", "RunEnding");
    }

    [WorkflowUpdateValidator(nameof(CancelAsync))]
    public void ValidateCancel(string by)
    {
        if (string.IsNullOrWhiteSpace(by)) throw new ApplicationFailureException("Who cancels must be said.", "WhoIsMissing");
    }

    [WorkflowQuery("standing")]
    public RunStanding Standing() => new(
        _machine.State.Paused ? RunState.Paused : _machine.State.Run, _machine.State.Sequence,
        [.. _machine.State.Steps.Select((step, index) => new StepStanding(_input.Plan.Steps[index].Id, step.State, step.Items, step.Units.Count, step.Succeeded, step.Failed))]);

    private Task<bool> Happened(bool changed)
    {
        _happened = true;
        return Task.FromResult(changed);
    }

    /// <summary>Until something happens, or the machine's next deadline. A timer that is still right is kept: each costs events.</summary>
    private async Task WaitAsync()
    {
        var due = _machine.NextDeadline;
        if (due != _timerDue)
        {
            _timerCancellation?.Cancel();
            (_timerDue, _timer, _timerCancellation) = (due, null, null);
            if (due is { } time)
            {
                _timerCancellation = new CancellationTokenSource();
                _timer = Workflow.DelayAsync(time - Now, _timerCancellation.Token);
            }
        }

        _happened = false;
        await Workflow.WaitConditionAsync(() => _happened || _timer?.IsCompleted == true);
        if (_timer?.IsCompleted == true) (_timerDue, _timer, _timerCancellation) = (null, null, null);
    }

    private async Task CallAsync(UnitRecord unit)
    {
        _webhooks++;
        var step = _input.Plan.Steps[unit.Step];
        try
        {
            await Workflow.ExecuteActivityAsync((RunActivities activities) => activities.CallWebhookAsync(new WebhookCall(_input.RunId, unit.Step, unit.Item)), new()
            {
                StartToCloseTimeout = TimeSpan.FromSeconds(30),
                HeartbeatTimeout = RunActivities.HeartbeatTimeout,
                RetryPolicy = new() { InitialInterval = TimeSpan.FromSeconds(1), MaximumInterval = TimeSpan.FromMinutes(1), MaximumAttempts = Math.Max(step.MaxAttempts, WebhookCall.LeastAttempts) },
            });
            _machine.End(new UnitEnded(unit.Step, unit.Item, unit.Attempt, 0, StepState.Succeeded));
        }
        catch (ActivityFailureException failure)
        {
            _machine.End(new UnitEnded(unit.Step, unit.Item, unit.Attempt, 0, StepState.Failed, (failure.InnerException ?? failure).Message));
        }

        _webhooks--;
        _happened = true;
    }
}
