using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Dispatching.States;

/// <summary>
/// The life of an attempt, and what its end means for the task. Pure: no clock, no chance, no database.
/// <code>
///   Claimed → Pulling → Starting → Running ⇄ Waiting (for an answer)      an event never leads backwards;
///      └─────────┴─────────┴──────────┴────────┘                            any may be left out
///                      │ ended
///   Succeeded · Failed · Canceled · TimedOut        Lost: its lease ran out, or its dispatcher can't be understood
///
///   the attempt ends       …and the task
///   Succeeded              Succeeded, also when a cancel came too late to stop it
///   any other, canceled    Canceled
///   agent's reason         Scheduled (backoff) while fewer than maxAttempts failed, else Failed or TimedOut
///   infrastructure's       Scheduled (backoff) up to 5 times besides, unless it can't pass by trying again, else Failed
///   Lost, never started    Queued, burns nothing (at most 20 times)
///   Lost, onLost ask       Waiting, with a question: retry or fail?
///   Lost, onLost retry     as the infrastructure's
/// </code>
/// </summary>
internal static class AttemptMachine
{
    private const int LongestMessage = 4_096;
    private const int LongestTail = 16_384;
    private const int LongestPrompt = 16_384;
    private const int MostChoices = 100;
    private static readonly TimeSpan LongestQuestion = TimeSpan.FromDays(30);

    /// <summary>Applies the attempt's next event. The attempt must be the task's current one and not ended.</summary>
    /// <param name="at">When it happened, as far as the dispatcher's clock can be believed.</param>
    public static Transition Apply(TaskStanding task, AttemptStanding attempt, AttemptReport report, DateTimeOffset at, Moment moment)
    {
        var draft = new Draft(task, attempt with { AppliedSequence = attempt.AppliedSequence + 1 });
        if (report is AttemptReport.Ended ended)
        {
            End(draft, ended, at, moment);
            return draft.Done();
        }

        draft.Note(at, TimelineTypes.Attempt + report.Type, report.Data, ofAttempt: true);
        switch (report)
        {
            case AttemptReport.Pulling:
                Advance(draft, AttemptState.Pulling);
                break;
            case AttemptReport.Starting:
                Advance(draft, AttemptState.Starting);
                break;
            case AttemptReport.Running { Content.RuntimeId: var runtimeId }:
                Advance(draft, AttemptState.Running);
                draft.Attempt = draft.Attempt! with { RuntimeId = runtimeId, StartedAt = attempt.StartedAt ?? at };
                draft.Task = draft.Task with { StartedAt = task.StartedAt ?? at };
                break;
            case AttemptReport.Asked { Content: var question }:
                Advance(draft, AttemptState.Waiting);
                draft.Task = draft.Task with { Status = TaskState.Waiting };
                draft.Add(new QuestionAsked(
                    question.Id, attempt.Id, "question", Head(question.Prompt, LongestPrompt), [.. (question.Choices ?? []).Take(MostChoices)], at,
                    question.TimeoutSeconds is { } seconds ? moment.Now + Bounded(seconds) : null));
                break;
            case AttemptReport.Stored { Content: var file }:
                draft.Add(new ArtifactStored(attempt.Number, file.Path, file.Size, file.Sha256, file.ContentType, at));
                break;
            case AttemptReport.Used { Content: var used }:
                draft.Task = draft.Task with
                {
                    InputTokens = Sum(task.InputTokens, used.InputTokens), OutputTokens = Sum(task.OutputTokens, used.OutputTokens),
                    CostUsd = task.CostUsd + Math.Clamp(used.CostUsd, 0, 1_000_000),
                };
                break;
        }

        return draft.Done();
    }

    /// <summary>Ends an attempt of which nobody can tell how it ended.</summary>
    /// <param name="neverStarted">No dispatcher can have begun it: it burns no attempt.</param>
    public static Transition Lose(TaskStanding task, AttemptStanding attempt, bool neverStarted, string message, Moment moment)
    {
        var draft = new Draft(task, attempt with
        {
            Status = AttemptState.Lost, Reason = FailureReason.DispatcherLost, Message = Head(message, LongestMessage), EndedAt = moment.Now,
        });
        draft.Note(
            moment.Now, TimelineTypes.Lost, new AttemptEndedEntry(AttemptState.Lost, FailureReason.DispatcherLost, null, draft.Attempt!.Message),
            TimelineJson.Default.AttemptEndedEntry, ofAttempt: true);
        draft.Add(new QuestionsClosed(moment.Now));
        if (task.CancelRequestedAt is not null)
            draft.Finish(moment.Now, TaskState.Canceled, null, new FailureView(FailureReason.Canceled, "Canceled; its dispatcher was lost meanwhile.", null, null));
        else if (neverStarted && task.UnstartedClaims < RetryRule.UnstartedLimit)
        {
            draft.Task = draft.Task with { UnstartedClaims = task.UnstartedClaims + 1 };
            draft.Queue(moment.Now);
        }
        else if (!neverStarted && task.OnLost == OnLost.Ask)
            AskWhetherToRetry(draft, moment.Now);
        else
            RetryOrFail(draft, FailureReason.DispatcherLost, transient: !neverStarted, new FailureView(FailureReason.DispatcherLost, draft.Attempt.Message!, null, null), moment.Now, moment);
        return draft.Done();
    }

    private static void End(Draft draft, AttemptReport.Ended ended, DateTimeOffset at, Moment moment)
    {
        var data = ended.Content;
        var (status, reason) = Agree(data.Status, data.Reason);
        var message = data.Message is null ? null : Head(data.Message, LongestMessage);
        if (reason is null && draft.Task.OutputSchema is { } schema && OutputSchemas.Fault(schema, data.Output) is { } misfit)
            (status, reason, message) = (AttemptState.Failed, FailureReason.InvalidResult, Head(misfit, LongestMessage));
        var tail = data.LogTail is null ? null : Tail(data.LogTail, LongestTail);
        draft.Attempt = draft.Attempt! with
        {
            Status = status, Reason = reason, ExitCode = data.ExitCode, Message = message, LogTail = tail, EndedAt = at,
        };
        draft.Note(
            at, TimelineTypes.AttemptEnded, new AttemptEndedEntry(status, reason, data.ExitCode, message), TimelineJson.Default.AttemptEndedEntry, ofAttempt: true);
        draft.Add(new QuestionsClosed(at));

        var output = data.Output is { ValueKind: not System.Text.Json.JsonValueKind.Null } json ? json.GetRawText() : null;
        if (reason is not { } why)
        {
            draft.Finish(at, TaskState.Succeeded, output, null);
            return;
        }

        if (draft.Task.CancelRequestedAt is not null) why = FailureReason.Canceled;
        RetryOrFail(draft, why, data.Transient, new FailureView(why, message ?? Words(why, data.ExitCode), data.ExitCode, tail), at, moment, output);
    }

    /// <summary>Status and reason as one: the reason rules where they differ, and success has none.</summary>
    private static (AttemptState Status, FailureReason? Reason) Agree(AttemptState status, FailureReason? reason) => (status, reason) switch
    {
        (AttemptState.Succeeded, _) => (status, null),
        (AttemptState.Canceled, _) or (_, FailureReason.Canceled) => (AttemptState.Canceled, FailureReason.Canceled),
        (AttemptState.TimedOut, _) or (_, FailureReason.Timeout) => (AttemptState.TimedOut, FailureReason.Timeout),
        _ => (AttemptState.Failed, reason ?? FailureReason.AgentError),
    };

    private static void RetryOrFail(
        Draft draft, FailureReason reason, bool transient, FailureView failure, DateTimeOffset at, Moment moment, string? output = null)
    {
        if (reason != FailureReason.Canceled) draft.Task = RetryRule.Count(draft.Task, reason);
        if (RetryRule.MayRetry(draft.Task, reason, transient))
        {
            var retry = draft.Task.AgentFailures + draft.Task.InfrastructureFaults - 1;
            draft.Schedule(at, moment.Now + RetryRule.Backoff(retry, moment.Jitter), $"retry after: {Head(failure.Message, 200)}");
            return;
        }

        var final = reason switch
        {
            FailureReason.Canceled => TaskState.Canceled,
            FailureReason.Timeout => TaskState.TimedOut,
            _ => TaskState.Failed,
        };
        draft.Finish(at, final, output, failure);
    }

    private static void AskWhetherToRetry(Draft draft, DateTimeOffset now)
    {
        const string prompt = "Nobody can tell how the last attempt ended: its dispatcher was lost. Run the task again?";
        var question = new QuestionAsked(Guid.CreateVersion7(now), null, LostAnswers.Kind, prompt, [LostAnswers.Retry, LostAnswers.Fail], now, null);
        draft.Task = draft.Task with { Status = TaskState.Waiting };
        draft.Note(now, TimelineTypes.Asked, new AskedEntry(question.Id, question.Kind, prompt), TimelineJson.Default.AskedEntry);
        draft.Add(question);
    }

    private static void Advance(Draft draft, AttemptState to)
    {
        // Waiting ends by an answer, not by an event that came late.
        if (to > draft.Attempt!.Status) draft.Attempt = draft.Attempt with { Status = to };
    }

    private static string Words(FailureReason reason, int? exitCode) => reason switch
    {
        FailureReason.AgentExit => $"The agent ended with exit code {exitCode?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "unknown"}.",
        FailureReason.Canceled => "Canceled.",
        FailureReason.Timeout => "The agent took longer than the task allows.",
        FailureReason.OutOfMemory => "The agent used more memory than it may.",
        FailureReason.ImagePull => "The agent's image could not be pulled.",
        FailureReason.StartFailed => "The agent could not be started.",
        _ => $"The attempt failed: {Contracts.Json.WireEnum<FailureReason>.NameOf(reason)}.",
    };

    private static TimeSpan Bounded(int seconds) => TimeSpan.FromSeconds(Math.Clamp(seconds, 1, LongestQuestion.TotalSeconds));

    private static long Sum(long total, long more) => total + Math.Clamp(more, 0, long.MaxValue - total);

    private static string Head(string text, int length) => text.Length <= length ? text : text[..Whole(text, length)];

    private static string Tail(string text, int length)
    {
        if (text.Length <= length) return text;
        var start = text.Length - length;
        return text[(char.IsLowSurrogate(text[start]) ? start + 1 : start)..];
    }

    // The database takes no half of a surrogate pair.
    private static int Whole(string text, int length) => char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
}
