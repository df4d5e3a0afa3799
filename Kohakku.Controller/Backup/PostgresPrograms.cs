using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Backup;

/// <summary><c>pg_dump</c> and <c>pg_restore</c>, PostgreSQL's own programs, on the controller's database.</summary>
internal sealed class PostgresPrograms(DatabaseAddress address)
{
    private const string DebianFolder = "/usr/lib/postgresql";

    /// <summary>A snapshot of the whole database, in pg_dump's custom format.</summary>
    public Task DumpAsync(string file, CancellationToken cancellationToken) =>
        RunAsync("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", $"--file={file}"], cancellationToken);

    /// <summary>All of it, or nothing.</summary>
    public Task RestoreAsync(string file, CancellationToken cancellationToken) => RunAsync(
        "pg_restore", ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", $"--dbname={Settings.Database}", file], cancellationToken);

    private NpgsqlConnectionStringBuilder Settings => new(address.ConnectionString);

    private async Task RunAsync(string program, string[] arguments, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(Find(program), arguments) { RedirectStandardError = true };
        foreach (var (name, value) in Environment(Settings)) start.Environment[name] = value;
        using var process = Start(start, program);
        try
        {
            var errors = await process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0) throw new ConfigurationException($"{program} ended with {process.ExitCode}: {errors.Trim().ReplaceLineEndings(" ")}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
    }

    private static Process Start(ProcessStartInfo start, string program)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception fault)
        {
            throw new ConfigurationException($"{program} is not on this machine (Debian: postgresql-client); it must be of the server's version or newer.", fault);
        }
    }

    /// <summary>By libpq's variables: a password on the command line would be everybody's.</summary>
    private static IEnumerable<(string Name, string Value)> Environment(NpgsqlConnectionStringBuilder settings)
    {
        yield return ("PGHOST", settings.Host ?? "");
        yield return ("PGPORT", settings.Port.ToString(CultureInfo.InvariantCulture));
        yield return ("PGDATABASE", settings.Database ?? "");
        yield return ("PGUSER", settings.Username ?? "");
        if (settings.Password is { Length: > 0 } password) yield return ("PGPASSWORD", password);
        yield return ("PGSSLMODE", settings.SslMode switch
        {
            SslMode.VerifyCA => "verify-ca",
            SslMode.VerifyFull => "verify-full",
            var mode => mode.ToString().ToLowerInvariant(),
        });
        if (settings.RootCertificate is { Length: > 0 } root) yield return ("PGSSLROOTCERT", root);
        if (settings.SslCertificate is { Length: > 0 } certificate) yield return ("PGSSLCERT", certificate);
        if (settings.SslKey is { Length: > 0 } key) yield return ("PGSSLKEY", key);
        yield return ("PGCONNECT_TIMEOUT", "10");
    }

    /// <summary>Debian keeps the programs of each version in a folder of its own; the newest reads all older servers.</summary>
    private static string Find(string program) => Directory.Exists(DebianFolder)
        ? Directory.EnumerateDirectories(DebianFolder).OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
            .Select(folder => Path.Combine(folder, "bin", program)).FirstOrDefault(File.Exists) ?? program
        : program;
}
