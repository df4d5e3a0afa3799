using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.States;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Maintenance;

/// <summary>Closes questions that nobody answered in time; the agent then goes on without an answer.</summary>
internal sealed class QuestionExpiry(NpgsqlDataSource database, TaskChanges changes, TimeProvider time, ILogger<QuestionExpiry> logger)
    : DispatchingLoop("the expiry of questions", time, logger)
{
    private const int AtOnce = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly TimeProvider time = time;

    /// <summary>Answers how many it closed.</summary>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        HashSet<Guid> expired = [];
        HashSet<Guid> tasks = [];
        await using (var command = database.CreateCommand(MaintenanceSql.ExpiredQuestions))
        {
            command.Parameters.Add(new NpgsqlParameter<DateTimeOffset> { TypedValue = time.GetUtcNow() });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = AtOnce });
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                expired.Add(rows.GetGuid(0));
                tasks.Add(rows.GetGuid(1));
            }
        }

        if (expired.Count == 0) return 0;
        return await changes.OfTasksAsync(tasks, skipBusy: true, locked => Close(locked, expired), cancellationToken);
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken) =>
        await RunOnceAsync(cancellationToken) >= AtOnce ? TimeSpan.Zero : Pause;

    private static int Close(LockedTasks locked, HashSet<Guid> expired)
    {
        var closed = 0;
        foreach (var ofTask in locked.Questions.GroupBy(question => question.TaskId))
        {
            var open = ofTask.Count();
            foreach (var question in ofTask.Where(question => expired.Contains(question.Id)))
            {
                if (locked.Task(question.TaskId) is not { } task) continue;
                open--;
                closed++;
                locked.Take(TaskMachine.CloseQuestion(task, locked.CurrentAttempt(task)?.Standing, question.Id, open, answer: null, by: null, locked.Moment));
            }
        }

        return closed;
    }
}
