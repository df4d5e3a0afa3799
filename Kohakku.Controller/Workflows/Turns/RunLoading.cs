using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Workflows.Activities;
using Npgsql;

namespace Kohakku.Controller.Workflows.Turns;

/// <summary>Reads what the templates of a turn look at: one roundtrip, and nothing that isn't asked for.</summary>
internal sealed class RunLoading(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>Of all outputs together. More is a fault of the workflow: what is large belongs into artifacts.</summary>
    private const int MostCharacters = 32 * 1024 * 1024;

    /// <summary>Null: there is no such run.</summary>
    public async Task<RunDocument?> ReadAsync(Guid runId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(TurnSql.Document);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = runId });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken)
            ? new RunDocument(runId, rows.GetString(0), rows.GetInt32(1), rows.GetString(2), JsonElement.Parse(rows.GetString(3)), rows.GetFieldValue<DateTimeOffset>(4))
            : null;
    }

    /// <summary>Null: there is no such run.</summary>
    /// <exception cref="OutputsTooLargeException">Nothing is answered of them.</exception>
    public async Task<LoadedRun?> LoadAsync(Guid runId, LoadRun load, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        int[] values = [.. load.Values];
        // Before anything is read of them. The turn's commit does the same again.
        if (load.Ended.Count > 0) TurnWrite.EndUnits(batch, runId, load.Ended, time.GetColumnNow());
        batch.Add(TurnSql.Answered).With(runId);
        batch.Add(TurnSql.StepValues).With(runId).With(values);
        batch.Add(TurnSql.Outputs).With(runId).With(values);
        batch.Add(TurnSql.Items).With(runId).With(load.Items.ToArray());
        foreach (var unit in load.Candidates) batch.Add(TurnSql.Candidates).With(runId).With(unit.Step).With(unit.Item).With(unit.Attempt);

        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return null;
        if (load.Sequence > 0 && rows.GetInt32(0) >= load.Sequence && !await rows.IsDBNullAsync(1, cancellationToken))
            return new LoadedRun(JsonSerializer.Deserialize(rows.GetString(1), EngineJson.Default.TurnResult), [], [], []);

        await rows.NextResultAsync(cancellationToken);
        var steps = await ReadStepsAsync(rows, cancellationToken);
        await rows.NextResultAsync(cancellationToken);
        var total = await ReadOutputsAsync(rows, steps, cancellationToken);
        await rows.NextResultAsync(cancellationToken);
        List<LoadedItems> items = [];
        while (await rows.ReadAsync(cancellationToken))
            items.Add(new LoadedItems(rows.GetInt32(0), Skipped: false, rows.GetInt32(1), await rows.IsDBNullAsync(2, cancellationToken) ? null : JsonElement.Parse(rows.GetString(2))));
        List<LoadedCandidates> candidates = [];
        foreach (var unit in load.Candidates)
        {
            await rows.NextResultAsync(cancellationToken);
            List<JsonElement?> outputs = [];
            while (await rows.ReadAsync(cancellationToken)) outputs.Add(await rows.IsDBNullAsync(1, cancellationToken) ? null : Counted(rows.GetString(1), ref total));
            candidates.Add(new LoadedCandidates(unit, outputs));
        }

        return new LoadedRun(null, [.. steps.Values.Select(step => step.Step with { Outputs = step.Outputs })], items, candidates);
    }

    private static async Task<Dictionary<int, (LoadedStep Step, JsonElement?[] Outputs)>> ReadStepsAsync(NpgsqlDataReader rows, CancellationToken cancellationToken)
    {
        var steps = new Dictionary<int, (LoadedStep, JsonElement?[])>();
        while (await rows.ReadAsync(cancellationToken))
        {
            var step = new LoadedStep(
                rows.GetInt32(0), WireEnum<StepState>.Parse(rows.GetString(1)), rows.GetBoolean(2), rows.GetInt32(3), rows.GetInt32(4), rows.GetInt32(5), []);
            steps[step.Step] = (step, new JsonElement?[Math.Max(step.Items, 0)]);
        }

        return steps;
    }

    private static async Task<long> ReadOutputsAsync(
        NpgsqlDataReader rows, Dictionary<int, (LoadedStep Step, JsonElement?[] Outputs)> steps, CancellationToken cancellationToken)
    {
        var total = 0L;
        while (await rows.ReadAsync(cancellationToken))
        {
            if (await rows.IsDBNullAsync(2, cancellationToken)) continue;
            var (outputs, item) = (steps[rows.GetInt32(0)].Outputs, rows.GetInt32(1));
            if (item < outputs.Length) outputs[item] = Counted(rows.GetString(2), ref total);
        }

        return total;
    }

    private static JsonElement Counted(string text, ref long total) =>
        (total += text.Length) > MostCharacters ? throw new OutputsTooLargeException() : JsonElement.Parse(text);
}

/// <summary>The outputs that a turn's templates look at are too large to be rendered together.</summary>
internal sealed class OutputsTooLargeException() : Exception("The outputs that these templates look at are over 32 MiB together; leave what is large in artifacts.");
