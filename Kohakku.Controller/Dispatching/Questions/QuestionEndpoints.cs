using Kohakku.Contracts;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.States;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Questions;

/// <summary>What agents, runs, and Kohakku about lost tasks, ask of people: one inbox for all.</summary>
internal static class QuestionEndpoints
{
    private const int MostPerPage = 200;
    private const int LongestAnswer = 16_384;

    private const string Columns = "id, kind, task_id, run_id, step_id, prompt, choices, asked_at, expires_at, answer, answered_at";

    /// <summary>$1 project, $2 only open ones, $3 id before which to go on, $4 how many. The newest first.</summary>
    private const string ListSql =
        $"""
        SELECT {Columns} FROM questions
        WHERE project_id = $1 AND (NOT $2 OR closed_at IS NULL) AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4
        """;

    /// <summary>$1 project, $2 id.</summary>
    private const string OneSql = $"SELECT {Columns} FROM questions WHERE project_id = $1 AND id = $2";

    public static async Task<Results<Ok<Page<QuestionView>>, ProblemHttpResult>> ListAsync(
        Caller caller, NpgsqlDataSource database, CancellationToken cancellationToken, bool open = false, int limit = 50, string? cursor = null)
    {
        if (limit is < 1 or > MostPerPage) return Problems.BadRequest("limit", $"must be from 1 to {MostPerPage}");
        Guid? before = null;
        if (cursor is not null)
        {
            if (!Guid.TryParseExact(cursor, "N", out var id)) return Problems.BadRequest("cursor", "must be one that a list answered");
            before = id;
        }

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(ListSql).With(caller.ProjectId).With(open).With(before).With(limit + 1);
        var items = await ReadAsync(batch, cancellationToken);
        var next = items.Count > limit ? items[limit - 1].Id.ToString("N") : null;
        return TypedResults.Ok(new Page<QuestionView>([.. items.Take(limit)], next));
    }

    /// <summary>Answers once; the second answer is a conflict.</summary>
    public static async Task<Results<Ok<QuestionView>, ProblemHttpResult>> AnswerAsync(
        Guid id, AnswerQuestion body, Caller caller, NpgsqlDataSource database, TaskChanges changes, RunAnswers runs, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, caller, database, cancellationToken) is not { } question) return Problems.NotFound($"There is no question {id}.");
        if (Check(body, question) is { Any: true } faults) return Problems.Unprocessable(faults);
        var answer = JsonText.CleanPlain(body.Answer!);
        // An approval is decided here as at its run: the same act.
        var taken = question.TaskId is { } taskId
            ? await changes.OfTasksAsync([taskId], skipBusy: false, locked => Answer(locked, question, answer, caller.Name), cancellationToken)
            : await runs.DecideAsync(question.Id, answer == ApprovalWords.Approve, comment: null, caller.Name, cancellationToken) == Answered.Done;
        return taken
            ? TypedResults.Ok((await FindAsync(id, caller, database, cancellationToken))!)
            : Problems.Conflict(question.AnsweredAt is null ? "The question is closed: it was answered, it expired, or nobody waits for it any more." : "The question was answered before.");
    }

    /// <summary>False when the question is not open any more.</summary>
    internal static bool Answer(LockedTasks locked, QuestionView question, string answer, string by)
    {
        if (locked.Questions.FirstOrDefault(open => open.Id == question.Id) is not { } asked || locked.Task(asked.TaskId) is not { } task) return false;
        var transition = asked.Kind == LostAnswers.Kind
            ? TaskMachine.AnswerLost(task, asked.Id, answer == LostAnswers.Retry, by, locked.Moment)
            : TaskMachine.CloseQuestion(task, locked.CurrentAttempt(task)?.Standing, asked.Id, locked.Questions.Count - 1, answer, by, locked.Moment);
        if (transition is null) return false;
        locked.Take(transition);
        return true;
    }

    private static Faults Check(AnswerQuestion body, QuestionView question)
    {
        var faults = new Faults();
        if (string.IsNullOrEmpty(body.Answer)) faults.Add("answer", "is required");
        else if (question.Choices.Count > 0 && !question.Choices.Contains(body.Answer)) faults.Add("answer", $"must be one of {string.Join(", ", question.Choices)}");
        else if (body.Answer.Length > LongestAnswer) faults.Add("answer", $"must be at most {LongestAnswer} characters");
        return faults;
    }

    private static async Task<QuestionView?> FindAsync(Guid id, Caller caller, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(OneSql).With(caller.ProjectId).With(id);
        return (await ReadAsync(batch, cancellationToken)).FirstOrDefault();
    }

    private static async Task<List<QuestionView>> ReadAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        List<QuestionView> views = [];
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            views.Add(new QuestionView(
                row.GetGuid(0), row.GetString(1), Id(2), Id(3), Text(4), row.GetString(5), row.GetFieldValue<string[]>(6), row.GetFieldValue<DateTimeOffset>(7), Time(8), Text(9), Time(10)));
        return views;

        Guid? Id(int column) => row.IsDBNull(column) ? null : row.GetGuid(column);
        string? Text(int column) => row.IsDBNull(column) ? null : row.GetString(column);
        DateTimeOffset? Time(int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
    }
}
