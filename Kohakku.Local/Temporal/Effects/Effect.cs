using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Local.Temporal.Runs.State;
using Kohakku.Local.Temporal.Storage;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Local.Temporal.Effects;

/// <summary>What one run owes another. It is done in the transaction of the run it is for, which deletes it: once, whatever crashes.</summary>
/// <param name="From">The run that owes it.</param>
/// <param name="InitiatedId">Event of that run by which it came about; for what goes to a parent, the parent's event.</param>
/// <param name="TargetNamespace">Where the run is that it is for.</param>
/// <param name="TargetWorkflowId">Effects for one workflow id are done one after the other.</param>
/// <param name="TargetRunId">Null means the current run.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(StartChild), "startChild")]
[JsonDerivedType(typeof(ChildStarted), "childStarted")]
[JsonDerivedType(typeof(ChildEnded), "childEnded")]
[JsonDerivedType(typeof(SignalOther), "signalOther")]
[JsonDerivedType(typeof(CancelOther), "cancelOther")]
[JsonDerivedType(typeof(OtherAnswered), "otherAnswered")]
[JsonDerivedType(typeof(ParentEnded), "parentEnded")]
internal abstract record Effect(RunKey From, string FromWorkflowId, long InitiatedId, string TargetNamespace, string TargetWorkflowId, Guid? TargetRunId)
{
    [JsonIgnore]
    public Guid Id { get; init; } = Guid.CreateVersion7();

    /// <summary>Done once the effect is.</summary>
    [JsonIgnore]
    public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public EffectRow ToRow() => new(Id, JsonSerializer.SerializeToUtf8Bytes(this, EffectJson.Default.Effect));

    public static Effect FromRow(EffectRow row) =>
        (JsonSerializer.Deserialize(row.Data.Span, EffectJson.Default.Effect) ?? throw new InvalidDataException($"The effect {row.Id} is empty.")) with { Id = row.Id };
}

/// <summary>Start a child as the event of the parent says.</summary>
internal sealed record StartChild(RunKey From, string FromWorkflowId, long InitiatedId, string TargetNamespace, string TargetWorkflowId)
    : Effect(From, FromWorkflowId, InitiatedId, TargetNamespace, TargetWorkflowId, null);

/// <summary>Tell the parent that its child runs.</summary>
/// <param name="Header">As the parent gave it, serialised.</param>
internal sealed record ChildStarted(
    RunKey From, string FromWorkflowId, long InitiatedId, string TargetNamespace, string TargetWorkflowId, Guid? TargetRunId,
    byte[]? Header)
    : Effect(From, FromWorkflowId, InitiatedId, TargetNamespace, TargetWorkflowId, TargetRunId);

/// <summary>Tell the parent how its child ended.</summary>
/// <param name="CloseEvent">The child's last event, serialised.</param>
internal sealed record ChildEnded(
    RunKey From, string FromWorkflowId, long InitiatedId, string TargetNamespace, string TargetWorkflowId, Guid? TargetRunId,
    byte[] CloseEvent)
    : Effect(From, FromWorkflowId, InitiatedId, TargetNamespace, TargetWorkflowId, TargetRunId);

/// <summary>Signal another run as the event says.</summary>
internal sealed record SignalOther(
    RunKey From, string FromWorkflowId, long InitiatedId, string TargetNamespace, string TargetWorkflowId, Guid? TargetRunId, bool ChildWorkflowOnly)
    : Effect(From, FromWorkflowId, InitiatedId, TargetNamespace, TargetWorkflowId, TargetRunId);

/// <summary>Ask another run to cancel.</summary>
internal sealed record CancelOther(
    RunKey From, string FromWorkflowId, long InitiatedId, string TargetNamespace, string TargetWorkflowId, Guid? TargetRunId, bool ChildWorkflowOnly, string Reason)
    : Effect(From, FromWorkflowId, InitiatedId, TargetNamespace, TargetWorkflowId, TargetRunId);

/// <summary>Tell a run that its signal or cancel was delivered, or why it was not.</summary>
/// <param name="NotFound">There is no such run that is open.</param>
internal sealed record OtherAnswered(
    RunKey From, string FromWorkflowId, long InitiatedId, string TargetNamespace, string TargetWorkflowId, Guid? TargetRunId, bool NotFound)
    : Effect(From, FromWorkflowId, InitiatedId, TargetNamespace, TargetWorkflowId, TargetRunId);

/// <summary>A parent has ended: its child is terminated or asked to cancel.</summary>
internal sealed record ParentEnded(
    RunKey From, string FromWorkflowId, long InitiatedId, string TargetNamespace, string TargetWorkflowId, Guid? TargetRunId, ParentClosePolicy Policy)
    : Effect(From, FromWorkflowId, InitiatedId, TargetNamespace, TargetWorkflowId, TargetRunId);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(Effect))]
internal sealed partial class EffectJson : JsonSerializerContext;
