using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Identity;

/// <summary>
/// Sees at every start that there is a way in: the project <c>default</c>, the tokens that configuration asks for, and at the first one
/// a login link in the log.
/// </summary>
internal sealed partial class FirstStart(
    IDbContextFactory<ControllerDb> databases, ApiTokens tokens, TokenLookup lookup, LoginLinks links, ControllerOptions options, ILogger<FirstStart> logger)
{
    private const string TokenFile = "api-token";

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        if (options.HasDevelopmentSecret) LogDevelopmentSecret();
        var projectId = await EnsureProjectAsync(cancellationToken);
        if (options.ApiToken is not null) await tokens.EnsureAdminAsync(projectId, "KOHAKKU_API_TOKEN", options.ApiToken, cancellationToken);
        if (options.DataFolder is not null) await EnsureTokenFileAsync(options.DataFolder, projectId, cancellationToken);
    }

    /// <summary>Prints a link where there never was one.</summary>
    public async Task AnnounceAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        if (await database.LoginLinks.AnyAsync(cancellationToken)) return;
        LogLoginLink(await links.CreateAsync(cancellationToken));
    }

    private async Task<Guid> EnsureProjectAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await database.Database.ExecuteSqlAsync(
            $"INSERT INTO projects (id, name, created_at) VALUES ({Guid.CreateVersion7()}, {Project.DefaultName}, now()) ON CONFLICT (name) DO NOTHING", cancellationToken);
        return await database.Projects.Where(project => project.Name == Project.DefaultName).Select(project => project.Id).SingleAsync(cancellationToken);
    }

    /// <summary>The file holds a valid admin's token: the configured one, else the one it has, else a new one.</summary>
    private async Task EnsureTokenFileAsync(string folder, Guid projectId, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, TokenFile);
        var token = options.ApiToken;
        if (token is null && File.Exists(path))
        {
            var kept = (await File.ReadAllTextAsync(path, cancellationToken)).Trim();
            var principal = kept.Length > 0 ? await lookup.FindAsync(kept) : null;
            if (principal is not null && Caller.Of(principal) is { Role: Role.Admin } caller && caller.ProjectId == projectId) token = kept;
        }
        token ??= (await tokens.IssueAsync(projectId, TokenFile, Role.Admin, expiresAt: null, cancellationToken)).Token;
        await WriteOwnerOnlyAsync(path, token, cancellationToken);
    }

    // A file of its own, moved into place: never half written, never readable by others, whatever was there.
    private static async Task WriteOwnerOnlyAsync(string path, string token, CancellationToken cancellationToken)
    {
        var temporary = $"{path}.{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var writer = new StreamWriter(temporary, options)) await writer.WriteLineAsync(token.AsMemory(), cancellationToken);
        File.Move(temporary, path, overwrite: true);
    }

    [LoggerMessage(100, LogLevel.Warning, "KOHAKKU_SECRET_KEY is not set: sessions and attempts' tokens are made with the development key that everyone knows.")]
    private partial void LogDevelopmentSecret();

    [LoggerMessage(101, LogLevel.Information, "Log in to the console once, within 24 hours, by {Link}")]
    private partial void LogLoginLink(Uri link);
}
