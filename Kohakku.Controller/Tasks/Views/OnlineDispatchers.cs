using System.Text.Json;
using Kohakku.Contracts.Json;
using Npgsql;

namespace Kohakku.Controller.Tasks.Views;

/// <summary>The labels of the dispatchers that take work, read at most once a second. May be called at once.</summary>
internal sealed class OnlineDispatchers(NpgsqlDataSource database, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(1);
    private readonly SemaphoreSlim _reading = new(1, 1);
    private volatile Snapshot? _snapshot;

    public async ValueTask<IReadOnlyList<IReadOnlyDictionary<string, string>>> LabelsAsync(CancellationToken cancellationToken)
    {
        if (Fresh() is { } known) return known;
        await _reading.WaitAsync(cancellationToken);
        try
        {
            if (Fresh() is { } readMeanwhile) return readMeanwhile;
            var labels = await ReadAsync(cancellationToken);
            _snapshot = new Snapshot(labels, time.GetTimestamp());
            return labels;
        }
        finally
        {
            _reading.Release();
        }
    }

    public void Dispose() => _reading.Dispose();

    private IReadOnlyList<IReadOnlyDictionary<string, string>>? Fresh() =>
        _snapshot is { } snapshot && time.GetElapsedTime(snapshot.ReadAt) < Remembered ? snapshot.Labels : null;

    private async Task<IReadOnlyList<IReadOnlyDictionary<string, string>>> ReadAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT labels FROM dispatchers WHERE status = 'online' AND NOT draining AND last_heartbeat_at > now() - interval '15 seconds'");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var labels = new List<IReadOnlyDictionary<string, string>>();
        while (await reader.ReadAsync(cancellationToken))
            labels.Add(JsonSerializer.Deserialize(reader.GetString(0), ContractsJson.Default.IReadOnlyDictionaryStringString)!);
        return labels;
    }

    private sealed record Snapshot(IReadOnlyList<IReadOnlyDictionary<string, string>> Labels, long ReadAt);
}
