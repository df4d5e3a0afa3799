using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Identity;

/// <summary>Makes API tokens and takes them back.</summary>
internal sealed class ApiTokens(IDbContextFactory<ControllerDb> databases, TokenLookup lookup, TimeProvider time)
{
    private const string Prefix = "kohakku_";

    /// <returns>The row, and the token itself, which can't be had again.</returns>
    public async Task<(ApiToken Row, string Token)> IssueAsync(
        Guid projectId, string name, Role role, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        var token = Secret.New(Prefix);
        var row = new ApiToken
        {
            Id = Guid.CreateVersion7(), ProjectId = projectId, Name = name, Role = role, Hash = Secret.HashOf(token),
            CreatedAt = time.GetUtcNow(), ExpiresAt = expiresAt,
        };
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        database.ApiTokens.Add(row);
        await database.SaveChangesAsync(cancellationToken);
        return (row, token);
    }

    /// <summary>Makes a given text an admin's token of the project, whatever it was before.</summary>
    public async Task EnsureAdminAsync(Guid projectId, string name, string token, CancellationToken cancellationToken)
    {
        var hash = Secret.HashOf(token);
        var admin = WireEnum<Role>.NameOf(Role.Admin);
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await database.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO api_tokens (id, project_id, name, role, hash, created_at)
            VALUES ({Guid.CreateVersion7()}, {projectId}, {name}, {admin}, {hash}, now())
            ON CONFLICT (hash) DO UPDATE SET project_id = excluded.project_id, role = excluded.role, expires_at = NULL
            """,
            cancellationToken);
    }

    /// <summary>From now on the token opens nothing here; in other controllers within <see cref="TokenLookup.Freshness"/>.</summary>
    /// <param name="projectId">Only a token of this project; null: of any.</param>
    /// <returns>False when there is no such token.</returns>
    public async Task<bool> RevokeAsync(Guid id, Guid? projectId, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var row = await database.ApiTokens.SingleOrDefaultAsync(token => token.Id == id && (projectId == null || token.ProjectId == projectId), cancellationToken);
        if (row is null) return false;
        var deleted = await database.ApiTokens.Where(token => token.Id == id).ExecuteDeleteAsync(cancellationToken);
        lookup.Forget(row.Hash);
        return deleted > 0;
    }
}
