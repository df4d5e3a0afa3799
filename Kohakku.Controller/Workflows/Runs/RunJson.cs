using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Interpreter;

namespace Kohakku.Controller.Workflows.Runs;

// What entries of a run's timeline say, what its inbox holds, and what the outbox is told.

internal sealed record CreatedEntry(string By, string Workflow, int Version, Guid? RetryOf);

internal sealed record StepEntry(StepState Status, int? Items, string? Failure);

internal sealed record AskedEntry(Guid QuestionId, string Prompt, DateTimeOffset? ExpiresAt);

internal sealed record DecidedEntry(string Decision, string By, string? Comment);

internal sealed record SignalEntry(string Name, string By);

internal sealed record RunEntry(RunState Status, string? Failure, string? By = null);

internal sealed record RunMessage(Guid RunId, IReadOnlyList<int>? Steps = null);

internal sealed record AdmitMessage(Guid ProjectId, string Key);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CreatedEntry))]
[JsonSerializable(typeof(StepEntry))]
[JsonSerializable(typeof(AskedEntry))]
[JsonSerializable(typeof(DecidedEntry))]
[JsonSerializable(typeof(SignalEntry))]
[JsonSerializable(typeof(RunEntry))]
[JsonSerializable(typeof(RunMessage))]
[JsonSerializable(typeof(AdmitMessage))]
[JsonSerializable(typeof(UnitEnded))]
[JsonSerializable(typeof(Decision))]
[JsonSerializable(typeof(SignalReceived))]
internal sealed partial class RunJson : JsonSerializerContext;
