using Kohakku.Contracts.Workflows;

namespace Kohakku.Workflows.Interpreter;

/// <summary>
/// What the controller's rows know of a run that has not ended: enough for <see cref="RunMachine.Rebuild"/> to go on with it where the Temporal workflow that
/// led it is lost, or is of another time than the rows, as after a restore.
/// </summary>
public sealed record KeptRun
{
    public required RunState Status { get; init; }
    /// <summary>Of the newest turn that was done; 0: there was none.</summary>
    public int Sequence { get; init; }
    /// <summary>What of the run's inbox was taken by then. The rest is sent again.</summary>
    public long InboxThrough { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    /// <summary>All of the plan's, by index.</summary>
    public required IReadOnlyList<KeptStep> Steps { get; init; }
    public IReadOnlyList<KeptUnit> Units { get; init; } = [];
    /// <summary>Those that no step has taken, the oldest first.</summary>
    public IReadOnlyList<SignalReceived> Signals { get; init; } = [];
}

/// <param name="Items">−1 until it was opened.</param>
public sealed record KeptStep(StepState State, int Items, int Succeeded, int Failed, string? Failure, DateTimeOffset? StartedAt, DateTimeOffset? EndedAt);

/// <summary>A try of an item, or one candidate or the judge of it, that was begun; or an item that ended without.</summary>
/// <param name="Counts">Its output is the item's: with candidates, the whole unit has ended.</param>
/// <param name="Winner">What a judge answered, where that is a number.</param>
public sealed record KeptUnit(
    int Step, int Item, int Attempt, int Part, StepState State, bool Counts, string? Failure, int? Winner, DateTimeOffset? DueAt, DateTimeOffset BegunAt);
