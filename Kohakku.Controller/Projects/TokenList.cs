using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Projects;

/// <summary>Reads a project's tokens, newest first; never the tokens themselves.</summary>
internal sealed class TokenList(IDbContextFactory<ControllerDb> databases)
{
    private const int ShownInConsole = 200;

    public Task<List<TokenView>> NewestAsync(Guid projectId, string project, CancellationToken cancellationToken) =>
        ReadAsync(projectId, project, new ListPosition(ShownInConsole, null), cancellationToken);

    /// <summary>One more than the limit where there are more.</summary>
    public async Task<List<TokenView>> ReadAsync(Guid projectId, string project, ListPosition position, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.ApiTokens.AsNoTracking()
            .Where(token => token.ProjectId == projectId && (position.Before == null || token.Id < position.Before))
            .OrderByDescending(token => token.Id).Take(position.Limit + 1)
            .Select(token => new TokenView(token.Id, token.Name, project, token.Role, token.CreatedAt, token.ExpiresAt, token.LastUsedAt))
            .ToListAsync(cancellationToken);
    }
}
