using System.Diagnostics;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Targets;

/// <summary>What came of beginning a target.</summary>
internal abstract record TargetOutcome
{
    private TargetOutcome()
    {
    }

    /// <param name="IsRepeat">The same key made it before. Both ids are null where what it made is gone by now.</param>
    public sealed record Begun(Guid? TaskId, Guid? RunId, bool IsRepeat) : TargetOutcome;

    /// <summary>The rules of tasks or runs refuse it; fields as in the task or the start of the run.</summary>
    public sealed record Refused(Faults Faults) : TargetOutcome;

    /// <summary>There is no such workflow, or it can't be run now.</summary>
    public sealed record NoWorkflow(string Why) : TargetOutcome;
}

/// <summary>
/// Begins tasks and runs that nobody asks for by hand. Whoever calls gives each a key of its own that no client's can be (they hold no line end), and with it
/// each begins once, whatever crashes: what a try of before has made is found again, also when its texts read the clock and so are others now.
/// </summary>
internal sealed class TargetStart(NpgsqlDataSource database, TaskSubmission tasks, RunSubmission runs)
{
    /// <summary>$1 project, $2 idempotency key.</summary>
    private const string MadeBeforeSql =
        "SELECT (SELECT id FROM tasks WHERE project_id = $1 AND idempotency_key = $2), (SELECT id FROM runs WHERE project_id = $1 AND idempotency_key = $2)";

    /// <param name="key">Null: it begins each time that it is asked.</param>
    public async Task<TargetOutcome> BeginAsync(RenderedTarget target, Caller caller, string? key, string? traceParent, CancellationToken cancellationToken)
    {
        var outcome = target.Task is { } task
            ? Of(await tasks.SubmitAsync(task, caller, key, traceParent, cancellationToken))
            : Of(await runs.StartAsync(target.Workflow!, target.Run!, caller, key, cancellationToken));
        return outcome is TargetOutcome.Refused refused && key is not null && refused.Faults.ToDictionary().ContainsKey(IdempotencyKeys.Header)
            ? await MadeBeforeAsync(caller.ProjectId, key, cancellationToken) ?? new TargetOutcome.Begun(null, null, IsRepeat: true)
            : outcome;
    }

    /// <summary>Null: nothing was, that is still kept.</summary>
    public async Task<TargetOutcome.Begun?> MadeBeforeAsync(Guid projectId, string key, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(MadeBeforeSql).With(projectId).With(key);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        var (task, run) = (rows.GetFieldValue<Guid?>(0), rows.GetFieldValue<Guid?>(1));
        return task is null && run is null ? null : new TargetOutcome.Begun(task, run, IsRepeat: true);
    }

    /// <summary>What it would be refused for as things stand; null: nothing. It writes nothing.</summary>
    public async Task<TargetOutcome?> CheckAsync(RenderedTarget target, Caller caller, CancellationToken cancellationToken)
    {
        if (target.Task is { } task) return await tasks.CheckAsync(task, caller, cancellationToken) is { } refusedTask ? Of(refusedTask) : null;
        return await runs.CheckAsync(target.Workflow!, target.Run!, caller, cancellationToken) is { } refusedRun ? Of(refusedRun) : null;
    }

    private static TargetOutcome Of(SubmitOutcome outcome) => outcome switch
    {
        SubmitOutcome.Accepted { Tasks: [var made] } accepted => new TargetOutcome.Begun(made.Id, null, accepted.IsRepeat),
        SubmitOutcome.Refused refused => new TargetOutcome.Refused(refused.Faults),
        SubmitOutcome.TooLarge tooLarge => new TargetOutcome.Refused(TooLarge(tooLarge.Field)),
        _ => throw new UnreachableException($"A submit came to {outcome.GetType().Name}."),
    };

    private static Faults TooLarge(string field)
    {
        var faults = new Faults();
        faults.Add(field, "must be at most 1 MiB of UTF-8");
        return faults;
    }

    private static TargetOutcome Of(RunOutcome outcome) => outcome switch
    {
        RunOutcome.Made made => new TargetOutcome.Begun(null, made.Id, made.IsRepeat),
        RunOutcome.Refused refused => new TargetOutcome.Refused(refused.Faults),
        RunOutcome.Missing missing => new TargetOutcome.NoWorkflow(missing.What),
        RunOutcome.Conflict conflict => new TargetOutcome.NoWorkflow(conflict.Why),
        _ => throw new UnreachableException($"A start came to {outcome.GetType().Name}."),
    };
}
