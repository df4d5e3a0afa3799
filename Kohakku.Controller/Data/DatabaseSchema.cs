using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Data;

/// <summary>Brings the database's schema up to this release's.</summary>
internal sealed class DatabaseSchema(IDbContextFactory<ControllerDb> databases)
{
    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await database.Database.EnsureCreatedAsync(cancellationToken);
    }
}
