using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Identity;

/// <summary>Makes links into the console and takes them, each once. Whoever can print one runs the controller, so it opens all.</summary>
internal sealed class LoginLinks(IDbContextFactory<ControllerDb> databases, ControllerOptions options, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);

    public async Task<Uri> CreateAsync(CancellationToken cancellationToken)
    {
        var secret = Secret.New("");
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var now = time.GetUtcNow();
        database.LoginLinks.Add(new LoginLink
        {
            Id = Guid.CreateVersion7(),
            ProjectId = await database.Projects.Where(project => project.Name == Project.DefaultName).Select(project => project.Id).SingleAsync(cancellationToken),
            Hash = Secret.HashOf(secret),
            CreatedAt = now,
            ExpiresAt = now + Lifetime,
        });
        await database.LoginLinks.Where(link => link.ExpiresAt < now - Lifetime).ExecuteDeleteAsync(cancellationToken);
        await database.SaveChangesAsync(cancellationToken);
        return new Uri($"{options.Url}/login?token={secret}");
    }

    /// <summary>Null when the link is unknown, used or expired. Of several at once, one gets in.</summary>
    public async Task<Caller?> UseAsync(string secret, CancellationToken cancellationToken)
    {
        var hash = Secret.HashOf(secret);
        var now = time.GetUtcNow();
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var used = await database.LoginLinks.Where(link => link.Hash == hash && link.UsedAt == null && link.ExpiresAt > now)
            .ExecuteUpdateAsync(link => link.SetProperty(l => l.UsedAt, now), cancellationToken);
        if (used == 0) return null;
        return await (
            from link in database.LoginLinks
            join project in database.Projects on link.ProjectId equals project.Id
            where link.Hash == hash
            select new Caller(project.Id, project.Name, Contracts.Tasks.Role.Admin, "console")).SingleAsync(cancellationToken);
    }
}
