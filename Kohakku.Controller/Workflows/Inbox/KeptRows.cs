using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Workflows.Interpreter;
using Npgsql;

namespace Kohakku.Controller.Workflows.Inbox;

/// <summary>Reads what the rows have of a run, for its machine to be rebuilt from.</summary>
internal static class KeptRows
{
    public static void Read(NpgsqlBatch batch, Guid runId)
    {
        batch.Add(InboxSql.ReadSteps).With(runId);
        batch.Add(InboxSql.ReadUnits).With(runId);
        batch.Add(InboxSql.ReadSignals).With(runId);
    }

    public static async Task<KeptRun> TakeAsync(KeptRun run, NpgsqlDataReader rows, CancellationToken cancellationToken)
    {
        List<KeptStep> steps = [];
        while (await rows.ReadAsync(cancellationToken))
            steps.Add(new KeptStep(
                WireEnum<StepState>.Parse(rows.GetString(0)), rows.GetInt32(1), rows.GetInt32(2), rows.GetInt32(3), rows.IsDBNull(4) ? null : rows.GetString(4), Time(rows, 5), Time(rows, 6)));
        await rows.NextResultAsync(cancellationToken);
        List<KeptUnit> units = [];
        while (await rows.ReadAsync(cancellationToken))
            units.Add(new KeptUnit(
                rows.GetInt32(0), rows.GetInt32(1), rows.GetInt32(2), rows.GetInt32(3), WireEnum<StepState>.Parse(rows.GetString(4)), rows.GetBoolean(5),
                rows.IsDBNull(6) ? null : rows.GetString(6), rows.IsDBNull(7) ? null : rows.GetInt32(7), Time(rows, 8), Time(rows, 9)!.Value));
        await rows.NextResultAsync(cancellationToken);
        List<SignalReceived> signals = [];
        while (await rows.ReadAsync(cancellationToken)) signals.Add(new SignalReceived(rows.GetString(0), rows.GetGuid(1)));
        return run with { Steps = steps, Units = units, Signals = signals };
    }

    private static DateTimeOffset? Time(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<DateTimeOffset>(column);
}
