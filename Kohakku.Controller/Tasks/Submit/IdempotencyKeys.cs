using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Tasks.Views;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>Tells a repeated submit from a new one. A key is unique within its project, by the table's index.</summary>
internal sealed class IdempotencyKeys(NpgsqlDataSource database, TaskQueries tasks)
{
    public const string Header = "Idempotency-Key";
    public const int MaxLength = 255;
    public const string Rule = "must be given once, with 1 to 255 printable characters";

    private const string Sql = "SELECT id, request_hash FROM tasks WHERE project_id = $1 AND idempotency_key = $2";

    public static bool IsValid(string key) => key.Length is > 0 and <= MaxLength && !key.Any(char.IsControl);

    public static IdempotencyKey Of<T>(string key, T request, JsonTypeInfo<T> type) =>
        new(key, SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(request, type)));

    /// <summary>The key of one task of a batch. No client's own key holds a line end.</summary>
    public static IdempotencyKey OfItem(IdempotencyKey batch, int index) =>
        batch with { Text = string.Create(CultureInfo.InvariantCulture, $"{batch.Text}\n{index}") };

    /// <summary>Answers for a key that is taken: with its tasks, or that it was for something else. Null when it is free.</summary>
    /// <param name="count">How many tasks the request has; null for a single one.</param>
    public async Task<SubmitOutcome?> RepeatAsync(Guid projectId, IdempotencyKey key, int? count, CancellationToken cancellationToken)
    {
        var first = count is null ? key : OfItem(key, 0);
        if (await FindAsync(projectId, first.Text, cancellationToken) is not { } found) return null;
        if (!found.RequestHash.AsSpan().SequenceEqual(key.RequestHash))
        {
            var faults = new Faults();
            faults.Add(Header, "was used before with another body");
            return new SubmitOutcome.Refused(faults);
        }

        Guid[] ids = count is null ? [found.Id] : await FindItemsAsync(projectId, key, count.Value, cancellationToken);
        return new SubmitOutcome.Accepted(await tasks.FindAsync(projectId, ids, cancellationToken), IsRepeat: true);
    }

    private async Task<(Guid Id, byte[] RequestHash)?> FindAsync(Guid projectId, string key, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Sql);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = projectId });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = key });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (reader.GetGuid(0), reader.GetFieldValue<byte[]>(1)) : null;
    }

    private async Task<Guid[]> FindItemsAsync(Guid projectId, IdempotencyKey key, int count, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "SELECT t.id FROM unnest($2) WITH ORDINALITY AS k(text, n) JOIN tasks t ON t.project_id = $1 AND t.idempotency_key = k.text ORDER BY k.n");
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = projectId });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. Enumerable.Range(0, count).Select(i => OfItem(key, i).Text)] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new List<Guid>(count);
        while (await reader.ReadAsync(cancellationToken)) ids.Add(reader.GetGuid(0));
        return [.. ids];
    }
}
