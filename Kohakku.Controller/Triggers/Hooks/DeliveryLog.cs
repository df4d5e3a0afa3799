using Kohakku.Contracts.Json;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Triggers.Hooks;

/// <summary>Writes down what became of genuine deliveries, and forgets all but the newest of each trigger.</summary>
internal sealed partial class DeliveryLog(NpgsqlDataSource database, TimeProvider time, ILogger<DeliveryLog> logger)
{
    /// <summary>Of each trigger.</summary>
    public const int MostKept = 500;

    private const int LongestEvent = 100;
    private const int LongestKey = 200;
    private const int LongestNote = 1_000;

    /// <summary>$2 the trigger: nothing where it was deleted meanwhile.</summary>
    private const string InsertSql =
        """
        INSERT INTO trigger_deliveries (id, trigger_id, at, result, event, dedupe_key, note, task_id, run_id, payload)
        SELECT $1, t.id, $3, $4, $5, $6, $7, $8, $9, $10 FROM triggers t WHERE t.id = $2 FOR KEY SHARE
        """;

    /// <summary>$1 trigger, $2 how many stay, less one. By one index, which also finds where they end.</summary>
    private const string PruneSql =
        """
        DELETE FROM trigger_deliveries WHERE trigger_id = $1 AND id < (SELECT id FROM trigger_deliveries WHERE trigger_id = $1 ORDER BY id DESC OFFSET $2 LIMIT 1)
        """;

    /// <summary>Also when the sender has hung up meanwhile.</summary>
    /// <param name="payload">How it begins.</param>
    public async Task WriteAsync(HookTrigger trigger, DeliveryOutcome outcome, string? payload)
    {
        var now = time.GetColumnNow();
        try
        {
            await using var batch = database.CreateBatch();
            batch.Add(InsertSql).With(Guid.CreateVersion7(now)).With(trigger.Id).With(now).With(WireEnum<DeliveryResult>.NameOf(outcome.Result))
                .With(Cut(outcome.Event, LongestEvent)).With(Cut(outcome.DedupeKey, LongestKey)).With(Cut(outcome.Note, LongestNote))
                .With(outcome.TaskId).With(outcome.RunId).With(payload is null ? null : Texts.Cut(payload, payload.Length));
            batch.Add(PruneSql).With(trigger.Id).With(MostKept - 1);
            await batch.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            // What it began has begun: a sender that were told otherwise would send it again, and where it has no key a second one would begin.
            LogNotWritten(fault, trigger.Name, outcome.Result);
        }
    }

    private static string? Cut(string? text, int length) => text is null ? null : Texts.Cut(text, length);

    [LoggerMessage(3701, LogLevel.Warning, "A delivery to the trigger {Trigger} ({Result}) could not be written down.")]
    private partial void LogNotWritten(Exception fault, string trigger, DeliveryResult result);
}
