using System.Globalization;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Local.Hosting.Postgres;

/// <summary>
/// Where a database's files are, and who owns them. PostgreSQL refuses to run as root; started by root it runs as the user
/// <c>postgres</c>, who may not be able to enter the data folder (below <c>/root</c>, say): then the files are elsewhere.
/// </summary>
internal sealed record PostgresFolder(string Root, string? RunAs, bool Moved)
{
    private const string ServerUser = "postgres";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Passable = OwnerOnly | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>The cluster.</summary>
    public string Data => Path.Combine(Root, "data");

    /// <summary>The version it was made by; null while there is none.</summary>
    public int? Major => File.Exists(Path.Combine(Data, "PG_VERSION"))
        && int.TryParse(File.ReadAllText(Path.Combine(Data, "PG_VERSION")), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var major)
        ? major
        : null;

    /// <summary>Makes the folder where its user can enter it.</summary>
    /// <param name="elsewhere">Taken when its user can't reach the wanted place.</param>
    public static async Task<PostgresFolder> PrepareAsync(string wanted, string elsewhere, CancellationToken cancellationToken)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Directory.CreateDirectory(wanted, OwnerOnly);
            return new PostgresFolder(wanted, null, Moved: false);
        }
        if ((await ShortCommand.RunAsync("id", ["-u", ServerUser], null, cancellationToken)).ExitCode != 0)
        {
            throw new InvalidOperationException($"PostgreSQL refuses to run as root, and there is no user '{ServerUser}' to run it as: make one, or start as another user.");
        }
        if (await CanBeUsedAsync(wanted, cancellationToken)) return new PostgresFolder(wanted, ServerUser, Moved: false);
        foreach (var above in (string[])[Path.GetDirectoryName(Path.GetDirectoryName(elsewhere))!, Path.GetDirectoryName(elsewhere)!])
        {
            Directory.CreateDirectory(above, Passable);
        }
        return await CanBeUsedAsync(elsewhere, cancellationToken)
            ? new PostgresFolder(elsewhere, ServerUser, Moved: true)
            : throw new InvalidOperationException($"The user '{ServerUser}' can use neither {wanted} nor {elsewhere}.");
    }

    private static async Task<bool> CanBeUsedAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder, OwnerOnly);
        await ShortCommand.SucceedAsync("chown", [$"{ServerUser}:", folder], null, cancellationToken);
        if ((await ShortCommand.RunAsync("test", ["-w", folder], ServerUser, cancellationToken)).ExitCode == 0) return true;
        if (!Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
        return false;
    }
}
