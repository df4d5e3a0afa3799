using System.Collections.Concurrent;
using System.Security.Claims;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Identity;

/// <summary>
/// Who a token stands for. An answer is kept for <see cref="Freshness"/>, so that a busy client costs one query in that time
/// and a token that another controller revoked soon opens nothing; one query serves all who ask at once. Unknown tokens are not kept.
/// </summary>
internal sealed class TokenLookup(IDbContextFactory<ControllerDb> databases, TimeProvider time)
{
    public static readonly TimeSpan Freshness = TimeSpan.FromSeconds(5);
    private const int MaxKept = 10_000;

    private readonly ConcurrentDictionary<string, Answer> answers = new(StringComparer.Ordinal);

    /// <summary>Null when the token is unknown, revoked or expired.</summary>
    public async ValueTask<ClaimsPrincipal?> FindAsync(string token)
    {
        var hash = Secret.HashOf(token);
        var key = Convert.ToHexString(hash);
        var answer = Current(key, hash);
        Known? known;
        try
        {
            known = await answer.Query.Value;
        }
        catch
        {
            answers.TryRemove(new(key, answer));
            throw;
        }
        if (known is null)
        {
            answers.TryRemove(new(key, answer));
            return null;
        }
        return known.ExpiresAt is { } end && end <= time.GetUtcNow() ? null : known.Principal;
    }

    /// <summary>Call it once the revocation is committed: a query that began before is not believed any more.</summary>
    public void Forget(byte[] hash) => answers.TryRemove(Convert.ToHexString(hash), out _);

    private Answer Current(string key, byte[] hash)
    {
        while (true)
        {
            if (answers.TryGetValue(key, out var kept) && time.GetElapsedTime(kept.AskedAt) < Freshness) return kept;
            var next = new Answer(time.GetTimestamp(), new Lazy<Task<Known?>>(() => QueryAsync(hash)));
            if (kept is null ? answers.TryAdd(key, next) : answers.TryUpdate(key, next, kept))
            {
                if (answers.Count > MaxKept) DropStale();
                return next;
            }
        }
    }

    private void DropStale()
    {
        foreach (var pair in answers)
        {
            if (time.GetElapsedTime(pair.Value.AskedAt) >= Freshness) answers.TryRemove(pair);
        }
        if (answers.Count > MaxKept) answers.Clear();
    }

    // No caller's cancellation token: the answer is for everyone who asks meanwhile. Npgsql's command timeout bounds it.
    private async Task<Known?> QueryAsync(byte[] hash)
    {
        await using var database = await databases.CreateDbContextAsync(CancellationToken.None);
        var row = await (
            from token in database.ApiTokens.AsNoTracking()
            join project in database.Projects on token.ProjectId equals project.Id
            where token.Hash == hash
            select new { token.Id, token.ProjectId, Project = project.Name, token.Role, token.Name, token.ExpiresAt, token.LastUsedAt }).SingleOrDefaultAsync();
        if (row is null) return null;
        var now = time.GetUtcNow();
        var minuteAgo = now - TimeSpan.FromMinutes(1);
        if (row.LastUsedAt is null || row.LastUsedAt < minuteAgo)
        {
            await database.ApiTokens.Where(token => token.Id == row.Id && (token.LastUsedAt == null || token.LastUsedAt < minuteAgo))
                .ExecuteUpdateAsync(token => token.SetProperty(t => t.LastUsedAt, now));
        }
        var caller = new Caller(row.ProjectId, row.Project, row.Role, row.Name);
        return new Known(new ClaimsPrincipal(caller.ToIdentity(BearerTokens.Scheme)), row.ExpiresAt);
    }

    private sealed record Known(ClaimsPrincipal Principal, DateTimeOffset? ExpiresAt);

    private sealed record Answer(long AskedAt, Lazy<Task<Known?>> Query);
}
