using System.Globalization;
using System.Text.Json;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>
/// What the <c>process</c> runtime keeps of an attempt, in <c>WORKSPACE_ROOT/&lt;attempt id&gt;/</c>:
/// <c>workspace/</c> (the agent's), <c>runner.log</c>, <c>exit.json</c> (left by the runner) and <c>owner</c>, which holds the
/// dispatcher's instance id and, once the runner is started, its <see cref="ProcessIdentity"/> on a second line.
/// </summary>
internal sealed class AttemptFolder(string root, Guid attemptId)
{
    private const int LogTailBytes = 4096;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Passable = OwnerOnly | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public string FullPath { get; } = Path.Combine(root, attemptId.ToString("N"));
    public string Workspace => Path.Combine(FullPath, "workspace");
    public string LogFile => Path.Combine(FullPath, "runner.log");
    public string ExitFile => Path.Combine(FullPath, "exit.json");
    private string OwnerFile => Path.Combine(FullPath, "owner");

    public bool Exists => Directory.Exists(FullPath);

    /// <param name="runAs">Who owns the workspace; null for this process's own user.</param>
    public void Create(Guid instanceId, RunAs? runAs)
    {
        Directory.CreateDirectory(FullPath, runAs is null ? OwnerOnly : Passable);
        File.WriteAllText(OwnerFile, $"{instanceId}\n");
        Directory.CreateDirectory(Workspace, OwnerOnly);
        runAs?.Own(Workspace);
    }

    public void WriteStarted(ProcessIdentity runner) => File.AppendAllText(OwnerFile, $"{runner}\n");

    /// <returns>Whose it is and which process; nulls where not (yet) known.</returns>
    public (Guid? Instance, ProcessIdentity? Runner) ReadOwner()
    {
        try
        {
            var lines = File.ReadAllText(OwnerFile).Split('\n');
            return (Guid.TryParse(lines[0], out var instance) ? instance : null,
                lines.Length > 2 && ProcessIdentity.TryParse(lines[1], out var runner) ? runner : null);
        }
        catch (IOException)
        {
            return (null, null);
        }
    }

    /// <summary>The runner's exit code as it left it; null when it left none.</summary>
    public int? ReadExitCode()
    {
        try
        {
            using var exit = JsonDocument.Parse(File.ReadAllBytes(ExitFile));
            return exit.RootElement.TryGetProperty("exitCode", out var code) && code.TryGetInt32(out var value) ? value : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    public string ReadLogTail()
    {
        try
        {
            using var log = File.OpenRead(LogFile);
            log.Seek(-Math.Min(log.Length, LogTailBytes), SeekOrigin.End);
            using var reader = new StreamReader(log);
            return reader.ReadToEnd();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>Deletes all of it; the owner last, so that a half-deleted folder is still known to be ours.</summary>
    public void Delete()
    {
        if (!Exists) return;
        DeleteTree(Workspace);
        File.Delete(LogFile);
        File.Delete(ExitFile);
        DeleteTree(FullPath);
    }

    /// <summary>The attempts of one instance, and folders so old that nobody can be about to claim them.</summary>
    public static IEnumerable<(Guid AttemptId, ProcessIdentity? Runner)> List(string root, Guid instanceId, DateTimeOffset ownerlessBefore)
    {
        if (!Directory.Exists(root)) yield break;
        foreach (var path in Directory.EnumerateDirectories(root))
        {
            if (!Guid.TryParseExact(Path.GetFileName(path), "N", out var attemptId)) continue;
            var (instance, runner) = new AttemptFolder(root, attemptId).ReadOwner();
            if (instance == instanceId || (instance is null && Directory.GetLastWriteTimeUtc(path) < ownerlessBefore.UtcDateTime))
            {
                yield return (attemptId, runner);
            }
        }
    }

    private static void DeleteTree(string path)
    {
        if (!Directory.Exists(path)) return;
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (UnauthorizedAccessException)
        {
            // Agents leave folders without the write bit (module caches, for one), which only root may empty as they are.
            MakeWritable(path);
            Directory.Delete(path, recursive: true);
        }
    }

    private static void MakeWritable(string path)
    {
        File.SetUnixFileMode(path, OwnerOnly);
        foreach (var entry in new DirectoryInfo(path).EnumerateDirectories())
        {
            if (entry.LinkTarget is null) MakeWritable(entry.FullName);
        }
    }
}
