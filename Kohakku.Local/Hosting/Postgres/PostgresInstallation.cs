using System.Globalization;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Local.Hosting.Postgres;

/// <summary>PostgreSQL's programs of one major version on this machine.</summary>
internal sealed record PostgresInstallation(int Major, string Folder)
{
    private const string DebianFolder = "/usr/lib/postgresql";

    public string Initdb => Path.Combine(Folder, "initdb");
    public string Server => Path.Combine(Folder, "postgres");

    /// <param name="major">The version that a database folder was made by; null takes the newest there is.</param>
    /// <exception cref="InvalidOperationException">It is not installed.</exception>
    public static async Task<PostgresInstallation> FindAsync(int? major, CancellationToken cancellationToken)
    {
        var found = new List<PostgresInstallation>();
        if (Directory.Exists(DebianFolder))
        {
            foreach (var folder in Directory.GetDirectories(DebianFolder))
            {
                if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
                    && File.Exists(Path.Combine(folder, "bin", "postgres")))
                {
                    found.Add(new PostgresInstallation(version, Path.Combine(folder, "bin")));
                }
            }
        }
        if (!found.Any(installation => major is null || installation.Major == major) && Programs.Find("initdb") is { } initdb)
        {
            // Elsewhere the programs stand side by side on the PATH, maybe as links into their folder.
            var target = File.ResolveLinkTarget(initdb, returnFinalTarget: true)?.FullName ?? initdb;
            var version = (await ShortCommand.RunAsync(initdb, ["--version"], null, cancellationToken)).Output; // initdb (PostgreSQL) 17.2
            var digits = version.Split(' ').Last().Split('.')[0].Trim();
            if (int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                found.Add(new PostgresInstallation(number, Path.GetDirectoryName(target)!));
            }
        }
        return found.Where(installation => major is null || installation.Major == major).MaxBy(installation => installation.Major)
            ?? throw new InvalidOperationException(major is null
                ? "PostgreSQL is not installed: run eng/prerequisites, or install it so that initdb is on the PATH."
                : $"The database was made by PostgreSQL {major}, which is not installed (found: {string.Join(", ", found.Select(f => f.Major))}): "
                    + "install it, or move the data over with pg_dump.");
    }
}
