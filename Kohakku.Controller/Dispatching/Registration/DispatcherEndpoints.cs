using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Registration;

/// <summary>What operators see of dispatchers, and draining. Dispatchers serve all projects, so every caller sees them all.</summary>
internal static class DispatcherEndpoints
{
    private const int MostPerPage = 200;

    public static async Task<Results<Ok<Page<DispatcherView>>, ProblemHttpResult>> ListAsync(
        Caller caller, NpgsqlDataSource database, CancellationToken cancellationToken, int limit = 50, string? cursor = null)
    {
        _ = caller;
        if (limit is < 1 or > MostPerPage) return Problems.BadRequest("limit", $"must be from 1 to {MostPerPage}");
        if (!TryReadCursor(cursor, out var afterName, out var afterId)) return Problems.BadRequest("cursor", "must be one that a list answered");
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(RegistrationSql.List).With(Unreachable).With(Offline).With(afterName).With(afterId).With(limit + 1);
        var items = await ReadAsync(batch, cancellationToken);
        var next = items.Count > limit ? WriteCursor(items[limit - 1]) : null;
        return TypedResults.Ok(new Page<DispatcherView>([.. items.Take(limit)], next));
    }

    public static async Task<Results<Ok<DispatcherView>, ProblemHttpResult>> ReadAsync(
        string name, Caller caller, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        _ = caller;
        return await FindAsync(name, database, cancellationToken) is { } view ? TypedResults.Ok(view) : NotThere(name);
    }

    /// <summary>It takes no more orders; what runs there goes on.</summary>
    public static Task<Results<Ok<DispatcherView>, ProblemHttpResult>> DrainAsync(
        string name, Caller caller, NpgsqlDataSource database, CancellationToken cancellationToken) => SetAsync(name, caller, true, database, cancellationToken);

    public static async Task<Results<Ok<DispatcherView>, ProblemHttpResult>> ResumeAsync(
        string name, Caller caller, NpgsqlDataSource database, ChangeFeed feed, CancellationToken cancellationToken)
    {
        var result = await SetAsync(name, caller, false, database, cancellationToken);
        // Whoever waits looks again: it may be this dispatcher.
        feed.PublishQueued(int.MaxValue);
        return result;
    }

    private static double Unreachable => DispatchingTimes.LeaseSeconds;

    private static double Offline => DispatchingTimes.Offline.TotalSeconds;

    private static async Task<Results<Ok<DispatcherView>, ProblemHttpResult>> SetAsync(
        string name, Caller caller, bool draining, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        _ = caller;
        if (name.Contains('\0', StringComparison.Ordinal)) return NotThere(name);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(RegistrationSql.SetDraining).With(name).With(draining);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return await FindAsync(name, database, cancellationToken) is { } view ? TypedResults.Ok(view) : NotThere(name);
    }

    private static async Task<DispatcherView?> FindAsync(string name, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        if (name.Contains('\0', StringComparison.Ordinal)) return null;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(RegistrationSql.OfName).With(Unreachable).With(Offline).With(name);
        return (await ReadAsync(batch, cancellationToken)).FirstOrDefault();
    }

    private static ProblemHttpResult NotThere(string name) => Problems.NotFound($"No dispatcher is called '{name}'.");

    private static async Task<List<DispatcherView>> ReadAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        List<DispatcherView> views = [];
        await using var row = await batch.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
            views.Add(new DispatcherView(
                row.GetGuid(0), row.GetString(1), WireEnum<DispatcherState>.Parse(row.GetString(2)), row.GetString(3), row.GetString(4), row.GetString(5),
                JsonSerializer.Deserialize(row.GetString(6), ContractsJson.Default.IReadOnlyDictionaryStringString)!,
                row.GetInt32(7), row.GetInt32(8), row.GetInt32(9), row.GetFieldValue<DateTimeOffset>(10), row.GetFieldValue<DateTimeOffset>(11)));
        return views;
    }

    // "name\nid" in base64url.
    private static string WriteCursor(DispatcherView last) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{last.Name}\n{last.Id}"));

    private static bool TryReadCursor(string? cursor, out string name, out Guid id)
    {
        (name, id) = ("", Guid.Empty);
        if (cursor is null) return true;
        if (!Base64Url.IsValid(cursor)) return false;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor)).Split('\n');
        if (parts.Length != 2 || !Guid.TryParse(parts[1], out id) || parts[0].Contains('\0', StringComparison.Ordinal)) return false;
        name = parts[0];
        return true;
    }
}
