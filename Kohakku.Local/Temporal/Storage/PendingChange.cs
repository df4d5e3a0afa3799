using Google.Protobuf;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>A run with its messages as bytes, made where the change is handed in: what becomes of the messages afterwards changes nothing.</summary>
internal sealed record EncodedRun(RunRow Row, byte[]? Memo, byte[]? SearchAttributes, string? Search)
{
    public static EncodedRun Of(RunRow row) =>
        new(row, row.Memo?.ToByteArray(), row.SearchAttributes?.ToByteArray(), SearchValues.Json(row.SearchAttributes));
}

/// <summary>A change that waits to be written, and its caller.</summary>
internal sealed class PendingChange
{
    // What a row takes beside its bytes; rough, as it only bounds groups.
    private const int RowBytes = 512;
    private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public PendingChange(Change change)
    {
        Change = change;
        Runs = [.. change.Runs.Select(write => EncodedRun.Of(write.Row))];
        Bytes = change.NewEffects.Sum(effect => RowBytes + effect.Data.Length) + Runs.Sum(BytesOf) + change.Runs.Sum(BytesOf);
    }

    public Change Change { get; }

    /// <summary>In the order of the change's.</summary>
    public IReadOnlyList<EncodedRun> Runs { get; }
    public int Bytes { get; }
    public Task Done => done.Task;

    public void Complete() => done.TrySetResult();

    public void Fail(Exception exception) => done.TrySetException(exception);

    private static int BytesOf(EncodedRun run) =>
        RowBytes + run.Row.State.Length + (run.Memo?.Length ?? 0) + (2 * (run.SearchAttributes?.Length ?? 0));

    private static int BytesOf(RunWrite write) =>
        write.History.Sum(batch => RowBytes + batch.Events.Length) + write.Parts.Sum(part => RowBytes + (part.Data?.Length ?? 0));
}
