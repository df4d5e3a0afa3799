using Kohakku.Contracts.Workflows;

namespace Kohakku.Workflows.Interpreter;

/// <summary>
/// What the interpreter wants done now, all of it by one activity, in one transaction where it is small. The same <see cref="Sequence"/> of the same
/// run does it once and answers the same, however often it is tried.
/// </summary>
public sealed record Turn
{
    public required Guid RunId { get; init; }
    /// <summary>From 1, one more each turn.</summary>
    public required int Sequence { get; init; }
    /// <summary>Of the workflow that says it, see <see cref="RunInput.Incarnation"/>.</summary>
    public int Incarnation { get; init; }
    /// <summary>Ends up to this number of the run's inbox have been taken; the next may come.</summary>
    public long InboxThrough { get; init; }
    public IReadOnlyList<OpenStep> Open { get; init; } = [];
    public IReadOnlyList<StartUnits> Start { get; init; } = [];
    /// <summary>Approvals whose time is over: closed, unless a person was faster.</summary>
    public IReadOnlyList<int> Expire { get; init; } = [];
    /// <summary>Steps of which everything that still runs is to be canceled.</summary>
    public IReadOnlyList<int> Cancel { get; init; } = [];
    /// <summary>Steps that have changed since the last turn.</summary>
    public IReadOnlyList<StepRecord> Steps { get; init; } = [];
    /// <summary>Units that have ended and that nobody but the interpreter knows of.</summary>
    public IReadOnlyList<UnitRecord> Units { get; init; } = [];
    /// <summary>The run's state, where it has changed. With <see cref="RunState.Succeeded"/> its outputs are rendered.</summary>
    public RunState? Run { get; init; }
    /// <summary>How the run is going to end, once that is certain: what its last step sees as its state.</summary>
    public RunState? Ending { get; init; }
    /// <summary>Why; given with <see cref="Ending"/>.</summary>
    public string? Failure { get; init; }
    /// <summary>The step that failed, where it was one.</summary>
    public int? FailedStep { get; init; }
}

/// <summary>Looks at a step's <c>if</c> and <c>for_each</c>, and begins its first units.</summary>
/// <param name="Capacity">How many units may begin.</param>
/// <param name="ItemsLeft">How many items the run may still have.</param>
public sealed record OpenStep(int Step, int Capacity, int ItemsLeft);

/// <summary>Begins units <paramref name="From"/> to <paramref name="From"/> + <paramref name="Count"/> − 1 of an open step.</summary>
/// <param name="Attempt">From 1.</param>
/// <param name="Judge">The unit's candidates have ended; its judge begins.</param>
public sealed record StartUnits(int Step, int From, int Count, int Attempt = 1, bool Judge = false);

/// <summary>How a step stands.</summary>
/// <param name="Items">−1 until it is known.</param>
public sealed record StepRecord(int Step, StepState State, int Items, int Succeeded, int Failed, string? Failure = null);

/// <summary>How a unit ended.</summary>
/// <param name="Winner">Of several candidates, the one that counts.</param>
/// <param name="SignalId">The signal whose body is the unit's output.</param>
public sealed record UnitRecord(int Step, int Item, int Attempt, StepState State, string? Failure = null, int? Winner = null, Guid? SignalId = null);

/// <summary>What came of a turn, as far as the interpreter has to know.</summary>
public sealed record TurnResult
{
    public IReadOnlyList<StepOpened> Opened { get; init; } = [];
    /// <summary>Units that could not begin.</summary>
    public IReadOnlyList<UnitFault> Faults { get; init; } = [];
    /// <summary>When units of <see cref="Definitions.StepKind.Wait"/> end.</summary>
    public IReadOnlyList<UnitDue> Due { get; init; } = [];
    public IReadOnlyList<Decision> Decided { get; init; } = [];
    /// <summary>The run's outputs could not be rendered.</summary>
    public string? OutputsFault { get; init; }
}

/// <summary>What became of an <see cref="OpenStep"/>; exactly one of: skipped, a fault, or so many items, of which the first began.</summary>
public sealed record StepOpened(int Step, bool Skipped, int Items, string? Fault = null);

public sealed record UnitFault(int Step, int Item, int Attempt, string Message);

public sealed record UnitDue(int Step, int Item, DateTimeOffset At);

/// <param name="Approve">False: rejected.</param>
public sealed record Decision(int Step, bool Approve, string? Comment = null);

/// <summary>How a task or a child run of a unit ended.</summary>
/// <param name="Part">Which candidate, from 0; the judge is the one after the last.</param>
/// <param name="Winner">What a judge answered, where that is a number.</param>
public sealed record UnitEnded(int Step, int Item, int Attempt, int Part, StepState State, string? Failure = null, int? Winner = null);

/// <summary>A signal of an operator or another system; its body stays in the controller.</summary>
public sealed record SignalReceived(string Name, Guid Id);
