using System.Globalization;
using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Engine;
using Kohakku.Local.Hosting.Output;
using Kohakku.Local.Hosting.Processes;
using Npgsql;

namespace Kohakku.Local.Hosting.Postgres;

/// <summary>
/// Runs the machine's PostgreSQL on a cluster of its own: loopback only, with a password, and as durable as in production.
/// It is healthy once it takes connections and has all its databases.
/// </summary>
internal sealed class PostgresService(PostgresServerResource server, IReadOnlyList<string> databases, DataFolder data) : Service(server)
{
    private const string WrongPassword = "28P01";
    private PostgresFolder? folder;
    private PostgresInstallation? installation;

    // Fast shutdown: clients are let go, and nothing has to be recovered at the next start.
    public override int StopSignal => LibC.SigInt;
    public override ILineLevels OutputLevels() => new PostgresLevels();
    public override ILineLevels ErrorLevels() => new PostgresLevels();
    public override string? Remark => folder is { Moved: true } ? $"data in {folder.Root}" : null;

    public override async Task PrepareAsync(Action<string> say, CancellationToken cancellationToken)
    {
        folder ??= await PostgresFolder.PrepareAsync(data.Of(server.Name), Path.Combine(data.Elsewhere, server.Name), cancellationToken);
        installation ??= await PostgresInstallation.FindAsync(folder.Major, cancellationToken);
        if (folder.Major is null)
        {
            say($"making a database cluster of PostgreSQL {installation.Major} in {folder.Root}");
            await InitializeAsync(folder, installation, cancellationToken);
        }
        await RemoveStaleLockAsync(folder, cancellationToken);
    }

    public override Task<Launch> LaunchAsync(CancellationToken cancellationToken)
    {
        if (folder is null || installation is null) throw new InvalidOperationException("The database has not been prepared.");
        string[] arguments =
        [
            "-D", folder.Data, "-p", server.PrimaryEndpoint.Port.ToString(CultureInfo.InvariantCulture), "-h", "127.0.0.1",
            // No Unix socket: everybody comes by TCP, and a socket's path has its limits.
            "-k", "", "-c", "max_connections=200", "-c", "logging_collector=off",
        ];
        return Task.FromResult(new Launch(installation.Server, arguments, folder.Root) { RunAs = folder.RunAs, StopSignal = StopSignal });
    }

    public override async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        try
        {
            var admin = new NpgsqlConnectionStringBuilder(await server.ConnectionStringExpression.GetValueAsync(cancellationToken))
            {
                Database = "postgres",
                Pooling = false,
                Timeout = 5,
            };
            await using var connection = new NpgsqlConnection(admin.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            foreach (var database in databases) await CreateDatabaseAsync(connection, database, cancellationToken);
            return true;
        }
        catch (PostgresException fault) when (fault.SqlState == WrongPassword)
        {
            throw new InvalidOperationException(
                $"The database in {folder?.Root} has another password than the parameter {server.PasswordParameter.Name} (keys/ was removed or changed).", fault);
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException)
        {
            return false;
        }
    }

    private static async Task CreateDatabaseAsync(NpgsqlConnection connection, string database, CancellationToken cancellationToken)
    {
        await using var look = new NpgsqlCommand("SELECT 1 FROM pg_database WHERE datname = $1", connection);
        look.Parameters.Add(new NpgsqlParameter { Value = database });
        if (await look.ExecuteScalarAsync(cancellationToken) is not null) return;
        await using var create = new NpgsqlCommand($"CREATE DATABASE \"{database.Replace("\"", "\"\"", StringComparison.Ordinal)}\"", connection);
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task InitializeAsync(PostgresFolder target, PostgresInstallation programs, CancellationToken cancellationToken)
    {
        // Made beside and renamed when whole and on disk: a start that is cut short leaves nothing half-made.
        var fresh = Path.Combine(target.Root, "data.new");
        var passwordFile = Path.Combine(target.Root, "password.new");
        if (Directory.Exists(fresh)) Directory.Delete(fresh, recursive: true);
        File.Delete(passwordFile);
        try
        {
            await using (var file = new FileStream(passwordFile, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }))
            {
                await using var writer = new StreamWriter(file);
                await writer.WriteLineAsync(await server.PasswordParameter.GetValueAsync(cancellationToken));
            }
            if (target.RunAs is { } user) await ShortCommand.SucceedAsync("chown", [user, passwordFile], null, cancellationToken);
            var userName = await server.UserNameReference.GetValueAsync(cancellationToken);
            await ShortCommand.SucceedAsync(
                programs.Initdb,
                ["-D", fresh, "-U", userName!, "-A", "scram-sha-256", $"--pwfile={passwordFile}", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
                target.RunAs,
                cancellationToken);
            // All files at once instead of one by one, as initdb would: seconds less, and as safe.
            await ShortCommand.SucceedAsync("sync", ["--file-system", fresh], null, cancellationToken);
            Directory.Move(fresh, target.Data);
        }
        finally
        {
            File.Delete(passwordFile);
        }
    }

    /// <summary>
    /// After a <c>kill -9</c> the server's own lock names a process that is gone, which PostgreSQL sees for itself, or whose number
    /// another one has by now, at which it would refuse to start. A server that does run on these files was left by a host that
    /// died: it is stopped.
    /// </summary>
    private static async Task RemoveStaleLockAsync(PostgresFolder target, CancellationToken cancellationToken)
    {
        var path = Path.Combine(target.Data, "postmaster.pid");
        if (!File.Exists(path)) return;
        var first = (await File.ReadAllLinesAsync(path, cancellationToken)).FirstOrDefault();
        if (!int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var pid) || ProcessIdentity.Of(pid) is not { } process) return;
        if (!RunsOn(pid, target.Data))
        {
            File.Delete(path);
            return;
        }
        process.Signal(LibC.SigInt);
        for (var looks = 0; process.IsAlive; looks++)
        {
            if (looks == 500) process.Signal(LibC.SigQuit);
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }
    }

    private static bool RunsOn(int pid, string folder)
    {
        try
        {
            return new DirectoryInfo($"/proc/{pid}/cwd").LinkTarget == folder;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
