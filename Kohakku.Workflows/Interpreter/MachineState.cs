using Kohakku.Contracts.Workflows;

namespace Kohakku.Workflows.Interpreter;

/// <summary>All that the interpreter remembers of a run, from one turn to the next and over continue-as-new. Only <see cref="RunMachine"/> changes it.</summary>
public sealed class MachineState
{
    public RunState Run { get; set; } = RunState.Running;
    /// <summary>Of the last turn; 0: there was none.</summary>
    public int Sequence { get; set; }
    public long InboxThrough { get; set; }
    public bool Paused { get; set; }
    /// <summary>The run is going to end thus; null while it goes on.</summary>
    public RunState? Stopping { get; set; }
    public string? Failure { get; set; }
    public int? FailedStep { get; set; }
    public DateTimeOffset? Deadline { get; set; }
    public int ItemsUsed { get; set; }
    public required List<StepProgress> Steps { get; set; }
    /// <summary>Signals that no step has waited for yet, the oldest first.</summary>
    public List<SignalReceived> Signals { get; set; } = [];

    // What the next turn says.
    public bool RunChanged { get; set; } = true;
    public HashSet<int> ChangedSteps { get; set; } = [];
    public HashSet<int> Cancels { get; set; } = [];
    public HashSet<int> Expiring { get; set; } = [];
    public List<UnitRecord> EndedUnits { get; set; } = [];
    public bool InboxMoved { get; set; }
}

/// <summary>A step of a run. Units that have ended are only counted, so that a fan-out over thousands stays small.</summary>
public sealed class StepProgress
{
    public StepState State { get; set; }
    public bool Opened { get; set; }
    /// <summary>−1 until it is open.</summary>
    public int Items { get; set; } = -1;
    /// <summary>The first unit that has not begun.</summary>
    public int Next { get; set; }
    public int Succeeded { get; set; }
    public int Failed { get; set; }
    public string? Failure { get; set; }
    public DateTimeOffset? Deadline { get; set; }
    /// <summary>Those that run, in no order.</summary>
    public List<UnitProgress> Units { get; set; } = [];
}

/// <summary>One item of a step (its only one, without <c>for_each</c>) while it runs.</summary>
public sealed class UnitProgress
{
    public required int Item { get; init; }
    public int Attempt { get; set; } = 1;
    /// <summary>It was said in a turn that it begin.</summary>
    public bool Begun { get; set; }
    /// <summary>A wait's end; an approval's time-out.</summary>
    public DateTimeOffset? DueAt { get; set; }
    /// <summary>Candidates that still run; the judge, once it does.</summary>
    public HashSet<int>? OpenParts { get; set; }
    /// <summary>Candidates that succeeded.</summary>
    public List<int>? Won { get; set; }
    public bool Judging { get; set; }
}
