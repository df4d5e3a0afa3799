using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Tasks.Views;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>
/// Takes work in: checks everything, takes what is large to object storage, writes in one transaction, and only then tells the waiters.
/// </summary>
internal sealed class TaskSubmission(
    NpgsqlDataSource database, AgentDirectory agents, TaskPayloads payloads, SubmitGroups groups, SubmitTransaction transaction, IdempotencyKeys keys,
    TaskViews views, TaskIds ids, ChangeFeed changes, TimeProvider time)
{
    public Task<SubmitOutcome> SubmitAsync(SubmitTask task, Caller caller, string? idempotencyKey, string? traceParent, CancellationToken cancellationToken)
    {
        var key = idempotencyKey is null ? null : IdempotencyKeys.Of(idempotencyKey, task, ContractsJson.Default.SubmitTask);
        return SubmitAsync([task], [""], key, isBatch: false, caller, traceParent, cancellationToken);
    }

    public Task<SubmitOutcome> SubmitBatchAsync(
        SubmitTaskBatch batch, Caller caller, string? idempotencyKey, string? traceParent, CancellationToken cancellationToken)
    {
        var key = idempotencyKey is null ? null : IdempotencyKeys.Of(idempotencyKey, batch, ContractsJson.Default.SubmitTaskBatch);
        string[] prefixes = [.. batch.Tasks!.Select((_, i) => $"tasks[{i}].")];
        return SubmitAsync(batch.Tasks!, prefixes, key, isBatch: true, caller, traceParent, cancellationToken);
    }

    /// <summary>What a submit would be refused for, as things stand; null: nothing. It writes nothing.</summary>
    public async Task<SubmitOutcome?> CheckAsync(SubmitTask task, Caller caller, CancellationToken cancellationToken)
    {
        if (CheckForm([task], [""]) is { } refusal) return refusal;
        var faults = new Faults();
        await PrepareAsync([task], [""], key: null, isBatch: false, caller, traceParent: null, faults, cancellationToken);
        return faults.Any ? new SubmitOutcome.Refused(faults) : null;
    }

    private async Task<SubmitOutcome> SubmitAsync(
        IReadOnlyList<SubmitTask> tasks, IReadOnlyList<string> prefixes, IdempotencyKey? key, bool isBatch, Caller caller, string? traceParent,
        CancellationToken cancellationToken)
    {
        if (CheckForm(tasks, prefixes) is { } refusal) return refusal;
        int? count = isBatch ? tasks.Count : null;
        var faults = new Faults();
        var prepared = await PrepareAsync(tasks, prefixes, key, isBatch, caller, traceParent, faults, cancellationToken);
        // A repeat is answered as the first time, whatever has become of the agents meanwhile.
        if (faults.Any) return await RepeatAsync() ?? new SubmitOutcome.Refused(faults);

        await payloads.StoreLargeAsync(prepared, cancellationToken);
        var made = await WriteAsync(prepared, prefixes, isBatch, faults, cancellationToken);
        if (made is not null)
        {
            changes.PublishQueued(made.Count(task => task.Status == TaskState.Queued && task.IsClaimable));
            changes.PublishTasks([.. made.Select(task => task.Task.Id)]);
            return new SubmitOutcome.Accepted(await ViewAsync(made, cancellationToken), IsRepeat: false);
        }

        await payloads.DropAsync(prepared, cancellationToken);
        if (await RepeatAsync() is { } repeat) return repeat;
        if (!faults.Any) Gone(tasks, prefixes, caller, faults);
        return new SubmitOutcome.Refused(faults);

        async Task<SubmitOutcome?> RepeatAsync() => key is null ? null : await keys.RepeatAsync(caller.ProjectId, key, count, cancellationToken);
    }

    private SubmitOutcome? CheckForm(IReadOnlyList<SubmitTask> tasks, IReadOnlyList<string> prefixes)
    {
        var faults = new Faults();
        var now = time.GetUtcNow();
        for (var i = 0; i < tasks.Count; i++)
        {
            if (tasks[i] is null) faults.Add(prefixes[i].TrimEnd('.'), "must be an object");
            else if (SubmitRules.IsBriefTooLarge(tasks[i])) return new SubmitOutcome.TooLarge($"{prefixes[i]}brief");
            else SubmitRules.Check(tasks[i], prefixes[i], now, faults);
        }

        return faults.Any ? new SubmitOutcome.Refused(faults) : null;
    }

    /// <summary>Resolves what the tasks refer to. What isn't there goes to <paramref name="faults"/>; then the answer is of no use.</summary>
    private async Task<NewTask[]> PrepareAsync(
        IReadOnlyList<SubmitTask> tasks, IReadOnlyList<string> prefixes, IdempotencyKey? key, bool isBatch, Caller caller, string? traceParent, Faults faults,
        CancellationToken cancellationToken)
    {
        var known = await agents.FindAsync(caller.ProjectId, [.. tasks.Select(task => task.Agent!).Distinct()], cancellationToken);
        for (var i = 0; i < tasks.Count; i++)
        {
            if (!known.ContainsKey(tasks[i].Agent!)) faults.Add($"{prefixes[i]}agent", UnknownAgent(tasks[i].Agent!));
        }

        var skills = await SkillPins.FindAsync(database, caller.ProjectId, tasks, prefixes, faults, cancellationToken);
        await Needs.CheckAsync(database, caller.ProjectId, tasks, prefixes, faults, cancellationToken);
        if (faults.Any) return [];
        return
        [
            .. tasks.Select((task, i) => new NewTask
            {
                Id = ids.Next(),
                ProjectId = caller.ProjectId,
                AgentId = known[task.Agent!],
                Title = task.Title ?? BriefTitle.Of(task.Brief!),
                SubmittedBy = caller.Name,
                Request = task,
                Skills = skills[i],
                Key = key is null || !isBatch ? key : IdempotencyKeys.OfItem(key, i),
                TraceParent = traceParent,
            }),
        ];
    }

    private async Task<IReadOnlyList<MadeTask>?> WriteAsync(
        NewTask[] tasks, IReadOnlyList<string> prefixes, bool isBatch, Faults faults, CancellationToken cancellationToken)
    {
        if (isBatch || tasks[0].Request is { ConcurrencyKey: not null } or { Needs.Count: > 0 })
            return await transaction.WriteAsync(tasks, prefixes, faults, cancellationToken);
        return await groups.WriteAsync(tasks[0], cancellationToken) is { } made ? [made] : null;
    }

    private async Task<IReadOnlyList<TaskView>> ViewAsync(IReadOnlyList<MadeTask> made, CancellationToken cancellationToken)
    {
        var shown = new TaskView[made.Count];
        for (var i = 0; i < shown.Length; i++) shown[i] = await views.OfNewAsync(made[i], cancellationToken);
        return shown;
    }

    /// <summary>An agent that was there a moment ago was deleted.</summary>
    private void Gone(IReadOnlyList<SubmitTask> tasks, IReadOnlyList<string> prefixes, Caller caller, Faults faults)
    {
        for (var i = 0; i < tasks.Count; i++)
        {
            agents.Forget(caller.ProjectId, tasks[i].Agent!);
            faults.Add($"{prefixes[i]}agent", UnknownAgent(tasks[i].Agent!));
        }
    }

    private static string UnknownAgent(string name) => $"'{name}' is not an agent of this project";
}
