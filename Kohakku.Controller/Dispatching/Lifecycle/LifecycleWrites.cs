using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.States;
using Kohakku.Controller.Webhooks.Events;
using Kohakku.Controller.Workflows.Inbox;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Lifecycle;

/// <summary>Puts what became of locked tasks into one batch: a command per table, a parameter per column, whatever the number of rows.</summary>
internal static class LifecycleWrites
{
    public static void Write(this NpgsqlBatch batch, LockedTasks locked)
    {
        batch.WriteTasks([.. locked.ChangedTasks]);
        batch.WriteAttempts([.. locked.ChangedAttempts]);
        batch.WriteTimeline(Of<TimelineEntry>(locked));
        // Closed before asked: what a transition asks is not closed by the end that made it ask.
        batch.CloseQuestions(Of<QuestionsClosed>(locked), Of<QuestionClosed>(locked));
        batch.WriteQuestions(Of<QuestionAsked>(locked), locked);
        batch.WriteMessages(Of<Said>(locked));
        batch.WriteArtifacts(Of<ArtifactStored>(locked));
    }

    /// <summary>What is to be done after the commit, in the same transaction. Answers the commands, whose rows tell whether there is anything.</summary>
    public static IReadOnlyList<NpgsqlBatchCommand> WriteOutbox(this NpgsqlBatch batch, LockedTasks locked)
    {
        List<NpgsqlBatchCommand> commands = [];
        var ended = locked.ChangedTasks.Where(task => task.Status.IsFinal()).Select(task => task.Id).ToArray();
        if (ended.Length > 0)
        {
            commands.Add(batch.Add(LifecycleSql.EnqueueNeeds).With(ended).With(locked.Now));
            // Most tasks are of no run.
            Guid[] ofRuns = [.. ended.Where(id => locked.Task(id)!.RunId is not null)];
            if (ofRuns.Length > 0) commands.Add(batch.Add(InboxSql.NoteEnded).With(ofRuns).With(locked.Now));
            // What is told late of an ended task must not be told as another end.
            batch.TellTasksEnded([.. ended.Where(id => locked.Task(id)!.NewOutcome is not null)], locked.Now);
        }

        Guid[] failed = [.. locked.ChangedAttempts.Where(attempt => IsFailure(attempt, locked.Task(attempt.TaskId)!)).Select(attempt => attempt.Id)];
        if (failed.Length > 0) commands.Add(batch.Add(LifecycleSql.EnqueueFailures).With(failed).With(locked.Now));

        var turns = Of<TurnChanged>(locked);
        if (turns.Count > 0)
            commands.Add(batch.Add(LifecycleSql.EnqueueTurns)
                .With(turns.Select(turn => locked.Task(turn.TaskId)!.ProjectId).ToArray())
                .With(turns.Select(turn => turn.Effect.ConcurrencyKey).ToArray())
                .With(locked.Now));
        return commands;
    }

    /// <summary>An attempt is changed by its end for the last time. Once a cancel was asked for, any end is what the person wanted.</summary>
    private static bool IsFailure(AttemptStanding attempt, TaskStanding task) =>
        attempt.Status is AttemptState.Failed or AttemptState.TimedOut or AttemptState.Lost && task.CancelRequestedAt is null;

    private static void WriteTasks(this NpgsqlBatch batch, TaskStanding[] tasks)
    {
        if (tasks.Length == 0) return;
        batch.Add(LifecycleSql.UpdateTasks)
            .With(Column(tasks, task => task.Id))
            .With(Column(tasks, task => WireEnum<TaskState>.NameOf(task.Status)))
            .With(Column(tasks, task => task.Generation))
            .With(Column(tasks, task => task.Claimable))
            .With(Column(tasks, task => task.DueAt))
            .With(Column(tasks, task => task.QueuedAt))
            .With(Column(tasks, task => task.CurrentAttemptId))
            .With(Column(tasks, task => task.AgentFailures))
            .With(Column(tasks, task => task.InfrastructureFaults))
            .With(Column(tasks, task => task.UnstartedClaims))
            .With(Column(tasks, task => task.CancelRequestedAt))
            .With(Column(tasks, task => task.EventSequence))
            .With(Column(tasks, task => task.InputTokens))
            .With(Column(tasks, task => task.OutputTokens))
            .With(Column(tasks, task => task.CostUsd))
            .With(Column(tasks, task => task.StartedAt))
            .With(Column(tasks, task => task.EndedAt))
            .With(Column(tasks, task => task.NewOutcome is not null))
            .With(Column(tasks, task => task.NewOutcome?.Output))
            .With(Column(tasks, task => task.NewOutcome?.Failure is { } failure ? JsonSerializer.Serialize(failure, ContractsJson.Default.FailureView) : null));
    }

    private static void WriteAttempts(this NpgsqlBatch batch, AttemptStanding[] attempts)
    {
        if (attempts.Length == 0) return;
        batch.Add(LifecycleSql.UpdateAttempts)
            .With(Column(attempts, attempt => attempt.Id))
            .With(Column(attempts, attempt => WireEnum<AttemptState>.NameOf(attempt.Status)))
            .With(Column(attempts, attempt => attempt.AppliedSequence))
            .With(Column(attempts, attempt => attempt.RuntimeId))
            .With(Column(attempts, attempt => attempt.StopReason))
            .With(Column(attempts, attempt => attempt.Reason is { } reason ? WireEnum<FailureReason>.NameOf(reason) : null))
            .With(Column(attempts, attempt => attempt.ExitCode))
            .With(Column(attempts, attempt => attempt.Message))
            .With(Column(attempts, attempt => attempt.LogTail))
            .With(Column(attempts, attempt => attempt.StartedAt))
            .With(Column(attempts, attempt => attempt.EndedAt));
    }

    private static void WriteTimeline(this NpgsqlBatch batch, List<(Guid TaskId, TimelineEntry Effect)> entries)
    {
        if (entries.Count == 0) return;
        batch.Add(LifecycleSql.InsertTimeline)
            .With(Column(entries, entry => entry.TaskId))
            .With(Column(entries, entry => entry.Effect.Id))
            .With(Column(entries, entry => entry.Effect.At))
            .With(Column(entries, entry => entry.Effect.Type))
            .With(Column(entries, entry => entry.Effect.Attempt))
            .With(Column(entries, entry => entry.Effect.Data));
    }

    private static void CloseQuestions(
        this NpgsqlBatch batch, List<(Guid TaskId, QuestionsClosed Effect)> ofTasks, List<(Guid TaskId, QuestionClosed Effect)> single)
    {
        if (single.Count > 0)
            batch.Add(LifecycleSql.CloseQuestions)
                .With(Column(single, question => question.Effect.Id))
                .With(Column(single, question => question.Effect.Answer))
                .With(Column(single, question => question.Effect.By))
                .With(Column(single, question => question.Effect.At));
        if (ofTasks.Count > 0)
            batch.Add(LifecycleSql.CloseQuestionsOfTasks)
                .With(Column(ofTasks, closed => closed.TaskId))
                .With(Column(ofTasks, closed => closed.Effect.At));
    }

    private static void WriteQuestions(this NpgsqlBatch batch, List<(Guid TaskId, QuestionAsked Effect)> questions, LockedTasks locked)
    {
        // A question of an attempt that ended in the same batch is nobody's any more.
        var open = questions.FindAll(asked => asked.Effect.AttemptId is not { } id || locked.Attempt(id)!.Standing.EndedAt is null);
        if (open.Count == 0) return;
        batch.Add(LifecycleSql.InsertQuestions)
            .With(Column(open, asked => asked.Effect.Id))
            .With(Column(open, asked => locked.Task(asked.TaskId)!.ProjectId))
            .With(Column(open, asked => asked.TaskId))
            .With(Column(open, asked => asked.Effect.AttemptId))
            .With(Column(open, asked => asked.Effect.Kind))
            .With(Column(open, asked => asked.Effect.Prompt))
            .With(Column(open, asked => JsonSerializer.Serialize(asked.Effect.Choices, ContractsJson.Default.IReadOnlyListString)))
            .With(Column(open, asked => asked.Effect.AskedAt))
            .With(Column(open, asked => asked.Effect.ExpiresAt));
        batch.TellQuestionsOpened(Column(open, asked => asked.Effect.Id), locked.Now);
    }

    private static void WriteMessages(this NpgsqlBatch batch, List<(Guid TaskId, Said Effect)> messages)
    {
        if (messages.Count == 0) return;
        batch.Add(LifecycleSql.InsertMessages)
            .With(Column(messages, said => said.Effect.Id))
            .With(Column(messages, said => said.Effect.AttemptId))
            .With(Column(messages, said => said.Effect.Kind))
            .With(Column(messages, said => said.Effect.Body))
            .With(Column(messages, said => said.Effect.At));
    }

    private static void WriteArtifacts(this NpgsqlBatch batch, List<(Guid TaskId, ArtifactStored Effect)> files)
    {
        if (files.Count == 0) return;
        batch.Add(LifecycleSql.UpsertArtifacts)
            .With(Column(files, file => file.TaskId))
            .With(Column(files, file => file.Effect.Attempt))
            .With(Column(files, file => file.Effect.Path))
            .With(Column(files, file => file.Effect.Size))
            .With(Column(files, file => file.Effect.Sha256))
            .With(Column(files, file => file.Effect.ContentType))
            .With(Column(files, file => file.Effect.At));
    }

    private static List<(Guid TaskId, T Effect)> Of<T>(LockedTasks locked) where T : Effect
    {
        List<(Guid, T)> found = [];
        foreach (var (taskId, effect) in locked.Effects)
            if (effect is T wanted) found.Add((taskId, wanted));
        return found;
    }

    private static TColumn[] Column<TRow, TColumn>(IReadOnlyList<TRow> rows, Func<TRow, TColumn> read)
    {
        var column = new TColumn[rows.Count];
        for (var row = 0; row < column.Length; row++) column[row] = read(rows[row]);
        return column;
    }
}
