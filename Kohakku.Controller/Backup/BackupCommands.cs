using System.CommandLine;

namespace Kohakku.Controller.Backup;

/// <summary>The commands <c>backup</c>, <c>restore</c> and <c>reconcile</c>.</summary>
internal static class BackupCommands
{
    public static readonly string[] Names = ["backup", "restore", "reconcile"];

    public static WebApplicationBuilder AddBackup(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<PostgresPrograms>().AddSingleton<ObjectCopies>().AddSingleton<BackupRun>();
        return builder;
    }

    /// <summary>Answers the exit code: 0, or 1 after a line that says why.</summary>
    public static Task<int> RunAsync(IServiceProvider services, string[] arguments, CancellationToken cancellationToken)
    {
        var root = new RootCommand("Backups of the controller's database and objects.") { Backup(services), Restore(services), Reconcile(services) };
        // What goes wrong is told by the process as a whole, in one line.
        return root.Parse(arguments).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false }, cancellationToken);
    }

    private static Command Backup(IServiceProvider services)
    {
        var folder = new Argument<string>("folder") { Description = "Where backups are kept; made where it is missing." };
        var keep = new Option<int?>("--keep") { Description = "How many backups stay there; all, by default." };
        keep.Validators.Add(result =>
        {
            if (result.GetValue(keep) < 1) result.AddError("--keep must be at least 1.");
        });
        var dump = new Option<string?>("--database-dump") { Description = "A dump that pg_dump --format=custom made just before; it is moved into the backup." };
        var command = new Command("backup", "Makes a backup, while everything runs.") { folder, keep, dump };
        command.SetAction((parsed, cancellationToken) => services.GetRequiredService<BackupRun>().BackUpAsync(
            parsed.GetValue(folder)!, parsed.GetValue(keep), parsed.GetValue(dump), parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }

    private static Command Restore(IServiceProvider services)
    {
        var folder = new Argument<string>("folder") { Description = "Where backups are kept." };
        var name = new Option<string?>("--name") { Description = "Which of them, like 2026-11-28T06-00-00Z; the newest, by default." };
        var without = new Option<bool>("--without-database") { Description = "pg_restore has been done by hand; the rest is to follow." };
        var otherKey = new Option<bool>("--other-key") { Description = "KOHAKKU_SECRET_KEY is another than the backup's: what was sealed with it is given up." };
        var command = new Command("restore", "Restores a backup into an empty installation, of which nothing else may run.") { folder, name, without, otherKey };
        command.SetAction((parsed, cancellationToken) => services.GetRequiredService<BackupRun>().RestoreAsync(
            parsed.GetValue(folder)!, parsed.GetValue(name), !parsed.GetValue(without), parsed.GetValue(otherKey), parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }

    private static Command Reconcile(IServiceProvider services)
    {
        var command = new Command("reconcile", "Has all open runs of workflows given to Temporal anew, from the database: after Temporal has lost them.");
        command.SetAction((parsed, cancellationToken) => services.GetRequiredService<BackupRun>().ReconcileAsync(parsed.InvocationConfiguration.Output, cancellationToken));
        return command;
    }
}
