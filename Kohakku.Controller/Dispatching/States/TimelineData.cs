using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Dispatching.States;

/// <summary>Names of the timeline's entries that dispatching writes; an attempt's events are <see cref="Attempt"/> + their wire type.</summary>
internal static class TimelineTypes
{
    public const string Scheduled = "task.scheduled";
    public const string Queued = "task.queued";
    public const string Canceling = "task.canceling";
    public const string Retried = "task.retried";
    public const string TaskEnded = "task.ended";
    public const string Asked = "task.question";
    public const string Attempt = "attempt.";
    public const string AttemptEnded = "attempt.ended";
    public const string Lost = "attempt.lost";
    public const string Answered = "task.answered";
    public const string QuestionExpired = "task.questionExpired";
    public const string Told = "attempt.told";
}

/// <summary>The question whether a task whose attempt was lost may run again.</summary>
internal static class LostAnswers
{
    public const string Kind = "lost";
    public const string Retry = "retry";
    public const string Fail = "fail";
}

internal sealed record TaskEndedEntry(TaskState Status, FailureReason? Reason, string? Message);

/// <param name="Why">What is waited for, in words.</param>
internal sealed record ScheduledEntry(DateTimeOffset DueAt, string Why);

internal sealed record ActEntry(string By, int? Generation = null);

internal sealed record AttemptEndedEntry(AttemptState Status, FailureReason? Reason, int? ExitCode, string? Message);

internal sealed record AskedEntry(Guid QuestionId, string Kind, string Prompt);

internal sealed record AnsweredEntry(Guid QuestionId, string? Answer, string? By);

internal sealed record ToldEntry(Guid MessageId, string Text, string By);

/// <summary>The data of timeline entries, as they are stored and shown.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TaskEndedEntry))]
[JsonSerializable(typeof(ScheduledEntry))]
[JsonSerializable(typeof(ActEntry))]
[JsonSerializable(typeof(AttemptEndedEntry))]
[JsonSerializable(typeof(AskedEntry))]
[JsonSerializable(typeof(AnsweredEntry))]
[JsonSerializable(typeof(ToldEntry))]
internal sealed partial class TimelineJson : JsonSerializerContext;
