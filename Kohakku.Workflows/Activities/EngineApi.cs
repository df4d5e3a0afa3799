using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Interpreter;

namespace Kohakku.Workflows.Activities;

// What the temporal-worker and the controller say to each other, signed, below /api/v1/engine. The worker renders and decides, the controller keeps.

/// <summary>Answer of <c>GET /engine/runs/{id}</c>: what never changes for a run.</summary>
/// <param name="Definition">In its canonical form.</param>
/// <param name="Inputs">An object.</param>
public sealed record RunDocument(Guid Id, string Workflow, int Version, string Definition, JsonElement Inputs, DateTimeOffset StartedAt);

/// <summary>Body of <c>POST /engine/runs/{id}/load</c>.</summary>
/// <param name="Sequence">The turn it is for.</param>
/// <param name="Values">Steps, by index, whose outputs are wanted.</param>
/// <param name="Items">Steps whose <c>for_each</c> array is wanted, where it is known.</param>
/// <param name="Candidates">Units whose candidates' outputs are wanted.</param>
/// <param name="Ended">The turn's units that have ended: kept first, so that their outputs are among the values.</param>
public sealed record LoadRun(
    int Sequence, IReadOnlyList<int> Values, IReadOnlyList<int> Items, IReadOnlyList<UnitKey> Candidates, IReadOnlyList<UnitRecord> Ended);

public sealed record UnitKey(int Step, int Item, int Attempt);

/// <param name="Answered">The turn was done before, with this result; the rest is empty.</param>
public sealed record LoadedRun(
    TurnResult? Answered, IReadOnlyList<LoadedStep> Values, IReadOnlyList<LoadedItems> Items, IReadOnlyList<LoadedCandidates> Candidates);

/// <param name="Items">−1: it has none (yet).</param>
/// <param name="Outputs">By index, null where it failed or has not ended.</param>
/// <param name="FansOut">Its output is the array; else the only entry.</param>
public sealed record LoadedStep(int Step, StepState State, bool FansOut, int Items, int Succeeded, int Failed, IReadOnlyList<JsonElement?> Outputs);

/// <summary>A step that has been opened: what its <c>if</c> and <c>for_each</c> were then, is so for good.</summary>
/// <param name="Array">Null when it does not fan out.</param>
public sealed record LoadedItems(int Step, bool Skipped, int Count, JsonElement? Array);

public sealed record LoadedCandidates(UnitKey Unit, IReadOnlyList<JsonElement?> Outputs);

/// <summary>
/// Body of <c>POST /engine/runs/{id}/turns</c>: a turn with all that was rendered for it. What was done before is not done again: by its sequence the
/// turn, by their keys its units.
/// </summary>
public sealed record CommitTurn
{
    public required Turn Turn { get; init; }
    /// <summary>As far as the worker knows it; the controller adds its own.</summary>
    public required TurnResult Result { get; init; }
    public IReadOnlyList<LoadedItems> Opened { get; init; } = [];
    /// <summary>At most <see cref="MostUnits"/>.</summary>
    public IReadOnlyList<NewUnit> Units { get; init; } = [];
    /// <summary>More of the turn follows: only <see cref="Opened"/> and <see cref="Units"/> are to be written.</summary>
    public bool Partial { get; init; }
    /// <summary>Of a run that succeeded.</summary>
    public JsonElement? Outputs { get; init; }

    public const int MostUnits = 100;
}

/// <summary>A unit, or a part of one, that begins. What it has set is what it does; nothing set: the interpreter itself sees to it.</summary>
/// <param name="Part">From 0; the judge is the one after the last candidate.</param>
public sealed record NewUnit(int Step, int Item, int Attempt, int Part)
{
    /// <summary>Its output is the item's. Of several candidates none is, until the interpreter says which.</summary>
    public bool Counts { get; init; }
    public SubmitTask? Task { get; init; }
    /// <summary>A JSON schema that the task's output must fit.</summary>
    public JsonElement? OutputSchema { get; init; }
    public NewApproval? Approval { get; init; }
    public NewChildRun? Child { get; init; }
    public DateTimeOffset? DueAt { get; init; }
}

public sealed record NewApproval(string Prompt, DateTimeOffset? ExpiresAt, bool ApproveOnTimeout);

public sealed record NewChildRun(string Workflow, int? Version, JsonElement Inputs);

/// <param name="Result">Of the whole turn; null after a partial one.</param>
public sealed record CommittedTurn(TurnResult? Result);

/// <summary>Input of the activity that calls a webhook; the rest is rendered where it is called, at the time.</summary>
public sealed record WebhookCall(Guid RunId, int Step, int Item)
{
    /// <summary>A webhook is tried this often in any case: the other side may just be starting.</summary>
    public const int LeastAttempts = 5;
}

/// <summary>Body of <c>POST /engine/runs/{id}/outputs</c>: what came of a unit that the worker itself did.</summary>
public sealed record UnitOutput(UnitKey Unit, JsonElement? Output);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RunDocument))]
[JsonSerializable(typeof(LoadRun))]
[JsonSerializable(typeof(LoadedRun))]
[JsonSerializable(typeof(CommitTurn))]
[JsonSerializable(typeof(CommittedTurn))]
[JsonSerializable(typeof(UnitOutput))]
[JsonSerializable(typeof(TurnResult))]
public sealed partial class EngineJson : JsonSerializerContext;
