using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Workflows.Definitions;
using Npgsql;

namespace Kohakku.Controller.Workflows.Runs;

/// <summary>A run that is to be run again, and how its steps ended.</summary>
internal sealed record RunRetry(string Workflow, int Version, RunState State, JsonElement Inputs, IReadOnlyList<(StepState State, int Items)> Steps)
{
    public static async Task<RunRetry?> ReadAsync(NpgsqlDataSource database, Guid projectId, Guid runId, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add("SELECT workflow_name, version, status, inputs::text FROM runs WHERE project_id = $1 AND id = $2").With(projectId).With(runId);
        batch.Add("SELECT status, items FROM run_steps WHERE run_id = $1 ORDER BY index").With(runId);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return null;
        var run = new RunRetry(rows.GetString(0), rows.GetInt32(1), WireEnum<RunState>.Parse(rows.GetString(2)), JsonElement.Parse(rows.GetString(3)), []);
        await rows.NextResultAsync(cancellationToken);
        List<(StepState, int)> steps = [];
        while (await rows.ReadAsync(cancellationToken)) steps.Add((WireEnum<StepState>.Parse(rows.GetString(0)), rows.GetInt32(1)));
        return run with { Steps = steps };
    }

    /// <summary>
    /// The steps, by index, whose ends are taken over: those that succeeded, or were passed over by their own <c>if</c>, and all of whose needs are taken
    /// over too; not <paramref name="fromStep"/> and what comes after it.
    /// </summary>
    public IReadOnlyList<int> Reusable(WorkflowDefinition definition, string? fromStep)
    {
        var indexes = definition.Steps.Select((step, index) => (step.Id, index)).ToDictionary(pair => pair.Id, pair => pair.index);
        var known = new Dictionary<int, bool>();
        return [.. Enumerable.Range(0, definition.Steps.Count).Where(IsReusable)];

        bool IsReusable(int index)
        {
            if (known.TryGetValue(index, out var answer)) return answer;
            var step = definition.Steps[index];
            var ended = Steps[index] is { State: StepState.Succeeded } or { State: StepState.Skipped, Items: 0 };
            return known[index] = ended && step.Id != fromStep && step.Id != definition.OnFailure && step.Needs.All(need => IsReusable(indexes[need]));
        }
    }
}
