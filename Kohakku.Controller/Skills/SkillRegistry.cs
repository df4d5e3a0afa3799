using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Skills;

/// <summary>Skills of a project by name, with all their versions. Deleting hides a skill; its packages stay for the tasks that pinned them.</summary>
internal sealed class SkillRegistry(IDbContextFactory<ControllerDb> databases, TimeProvider time)
{
    /// <summary>Makes the package the newest version, unless it is that already. It must be in object storage before.</summary>
    /// <returns>The skill and whether there is a new version.</returns>
    public async Task<(SkillView Skill, bool IsNew)> AddVersionAsync(
        Guid projectId, string name, string digest, long size, string description, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        var now = time.GetColumnNow();
        // Makes the row, or waits for and locks it: versions of one skill are numbered one after the other.
        var skill = await database.Skills.FromSql(
            $"""
            INSERT INTO skills (id, project_id, name, latest_version, created_at, updated_at)
            VALUES ({Guid.CreateVersion7(now)}, {projectId}, {name}, 0, {now}, {now})
            ON CONFLICT (project_id, name) DO UPDATE SET name = excluded.name
            RETURNING id, project_id, name, latest_version, created_at, updated_at, deleted_at
            """).AsAsyncEnumerable().SingleAsync(cancellationToken);
        var versions = await database.Set<SkillVersion>().Where(version => version.SkillId == skill.Id).OrderByDescending(version => version.Version).ToListAsync(cancellationToken);
        var isNew = versions is not [var newest, ..] || newest.Digest != digest;
        if (isNew)
        {
            skill.LatestVersion++;
            versions.Insert(0, database.Add(new SkillVersion
            {
                SkillId = skill.Id, Version = skill.LatestVersion, Digest = digest, Size = size, Description = description, CreatedAt = now,
            }).Entity);
        }

        if (isNew || skill.DeletedAt is not null)
        {
            (isNew, skill.DeletedAt, skill.UpdatedAt) = (true, null, now);
            await database.SaveChangesAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return (View(skill, versions), isNew);
    }

    public async Task<IReadOnlyList<Skill>> ListAsync(Guid projectId, NamePage page, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Skills.AsNoTracking()
            .Where(skill => skill.ProjectId == projectId && skill.DeletedAt == null && skill.Name.CompareTo(page.After) > 0)
            .OrderBy(skill => skill.Name).Take(page.Limit + 1).ToListAsync(cancellationToken);
    }

    /// <summary>Each with all of its versions, in one query.</summary>
    public async Task<IReadOnlyDictionary<Guid, SkillView>> ViewAsync(IReadOnlyList<Skill> skills, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var ids = skills.Select(skill => skill.Id).ToArray();
        var versions = (await database.Set<SkillVersion>().AsNoTracking().Where(version => ids.Contains(version.SkillId))
            .OrderByDescending(version => version.Version).ToListAsync(cancellationToken)).ToLookup(version => version.SkillId);
        return skills.ToDictionary(skill => skill.Id, skill => View(skill, [.. versions[skill.Id]]));
    }

    public async Task<Skill?> FindAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        if (!SkillName.IsValid(name)) return null;
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Skills.AsNoTracking().SingleOrDefaultAsync(
            skill => skill.ProjectId == projectId && skill.Name == name && skill.DeletedAt == null, cancellationToken);
    }

    /// <returns>False when there is none.</returns>
    public async Task<bool> DeleteAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        if (!SkillName.IsValid(name)) return false;
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var now = time.GetColumnNow();
        return await database.Skills.Where(skill => skill.ProjectId == projectId && skill.Name == name && skill.DeletedAt == null)
            .ExecuteUpdateAsync(skill => skill.SetProperty(row => row.DeletedAt, now), cancellationToken) > 0;
    }

    private static SkillView View(Skill skill, List<SkillVersion> versions) => new(
        skill.Name, versions[0].Description,
        [.. versions.Select(version => new SkillVersionView(version.Version, version.Digest, version.Size, version.Description, version.CreatedAt))],
        skill.CreatedAt, skill.UpdatedAt);
}
