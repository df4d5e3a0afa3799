using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Workflows.Definitions;
using Npgsql;

namespace Kohakku.Controller.Console.Runs;

/// <summary>One try of one item of a step.</summary>
/// <param name="Task">Where its task stands, when it has one.</param>
/// <param name="Counts">False: a candidate that did not win, or a judge.</param>
public sealed record UnitRow(
    int Item, int Attempt, int Part, StepState Status, bool Counts, Guid? TaskId, TaskState? Task, Guid? ChildRunId, string? Failure, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt);

/// <summary>The step of a run that made a task.</summary>
public sealed record TaskOrigin(Guid RunId, string StepId, string Workflow);

/// <summary>What the pages read of runs besides <c>RunQueries</c>; always within one project.</summary>
internal sealed class RunReads(NpgsqlDataSource database)
{
    /// <summary>$1 project, $2 run, $3 step, $4 how many.</summary>
    private const string UnitsSql =
        """
        SELECT u.item, u.attempt, u.part, u.status, u.counts, u.task_id, t.status, u.child_run_id, u.failure, u.created_at, u.ended_at
        FROM runs r JOIN run_steps s ON s.run_id = r.id JOIN run_units u ON u.run_id = r.id AND u.step = s.index LEFT JOIN tasks t ON t.id = u.task_id
        WHERE r.project_id = $1 AND r.id = $2 AND s.step_id = $3 ORDER BY u.item, u.attempt, u.part LIMIT $4
        """;

    /// <summary>Deleting a workflow hides it, and its runs still show its graph. $1 project, $2 run.</summary>
    private const string DefinitionSql =
        """
        SELECT v.canonical FROM runs r JOIN workflow_versions v ON v.workflow_id = r.workflow_id AND v.version = r.version WHERE r.project_id = $1 AND r.id = $2
        """;

    /// <summary>$1 project, $2 run.</summary>
    private const string QuestionsSql =
        """
        SELECT id, kind, run_id, step_id, prompt, choices, asked_at, expires_at FROM questions WHERE project_id = $1 AND run_id = $2 AND closed_at IS NULL ORDER BY id
        """;

    /// <summary>$1 project, $2 task.</summary>
    private const string OriginSql =
        """
        SELECT r.id, s.step_id, r.workflow_name
        FROM run_units u JOIN runs r ON r.id = u.run_id JOIN run_steps s ON s.run_id = u.run_id AND s.index = u.step WHERE r.project_id = $1 AND u.task_id = $2
        """;

    public Task<List<UnitRow>> UnitsAsync(Guid projectId, Guid runId, string stepId, int count, CancellationToken cancellationToken) =>
        ReadAsync(UnitsSql, batch => batch.With(projectId).With(runId).With(stepId).With(count), row => new UnitRow(
            row.GetInt32(0), row.GetInt32(1), row.GetInt32(2), WireEnum<StepState>.Parse(row.GetString(3)), row.GetBoolean(4), Id(row, 5),
            row.IsDBNull(6) ? null : WireEnum<TaskState>.Parse(row.GetString(6)), Id(row, 7), row.IsDBNull(8) ? null : row.GetString(8),
            row.GetFieldValue<DateTimeOffset>(9), row.Time(10)), cancellationToken);

    /// <summary>Null: the project has no such run.</summary>
    public async Task<WorkflowDefinition?> DefinitionAsync(Guid projectId, Guid runId, CancellationToken cancellationToken) =>
        (await ReadAsync(DefinitionSql, batch => batch.With(projectId).With(runId), row => CanonicalForm.Read(row.GetString(0)), cancellationToken)).SingleOrDefault();

    public Task<List<QuestionView>> OpenQuestionsAsync(Guid projectId, Guid runId, CancellationToken cancellationToken) =>
        ReadAsync(QuestionsSql, batch => batch.With(projectId).With(runId), row => new QuestionView(
            row.GetGuid(0), row.GetString(1), null, row.GetGuid(2), row.GetString(3), row.GetString(4), row.GetFieldValue<string[]>(5),
            row.GetFieldValue<DateTimeOffset>(6), row.Time(7), null, null), cancellationToken);

    /// <summary>Null: no run made this task.</summary>
    public async Task<TaskOrigin?> OriginAsync(Guid projectId, Guid taskId, CancellationToken cancellationToken) =>
        (await ReadAsync(OriginSql, batch => batch.With(projectId).With(taskId), row => new TaskOrigin(row.GetGuid(0), row.GetString(1), row.GetString(2)), cancellationToken))
        .SingleOrDefault();

    private async Task<List<T>> ReadAsync<T>(string sql, Action<NpgsqlBatchCommand> fill, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        fill(batch.Add(sql));
        List<T> found = [];
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) found.Add(read(rows));
        return found;
    }

    private static Guid? Id(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetGuid(column);
}
