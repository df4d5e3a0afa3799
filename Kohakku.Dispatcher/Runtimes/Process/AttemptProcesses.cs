using System.Buffers;
using System.Globalization;
using System.Text;
using Kohakku.Contracts.AgentProtocol;
using Microsoft.Win32.SafeHandles;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>
/// Finds what an attempt has started, wherever it went: every process inherits the attempt's id in its environment, and
/// while the runner lives, what cleared its environment is still found as its descendant or in its session.
/// </summary>
internal static class AttemptProcesses
{
    private static readonly byte[] AttemptKey = Encoding.ASCII.GetBytes($"{AgentEnvironment.AttemptId}=");
    private static readonly byte[] WorkspaceKey = Encoding.ASCII.GetBytes($"{AgentEnvironment.Workspace}=");

    /// <summary>Kills all processes whose environment names one of the attempts, again and again until there are none.</summary>
    /// <param name="runner">The attempt's runner where it still lives: it goes too, with all below it.</param>
    /// <returns>How many were killed.</returns>
    public static async Task<int> KillAsync(
        IReadOnlySet<Guid> attempts, ProcessIdentity? runner, ProcessExits exits, CancellationToken cancellationToken)
    {
        var killed = 0;
        while (true)
        {
            // What is found is held by handle before it is looked at, so that the signal can't hit a successor of its number.
            var found = Open(attempts, runner);
            if (found.Count == 0) return killed;
            try
            {
                foreach (var process in found) LibC.Signal(process, LibC.SigKill);
                killed += found.Count;
                await Task.WhenAll(found.Select(exits.WhenEnded)).WaitAsync(cancellationToken);
            }
            finally
            {
                foreach (var process in found) process.Dispose();
            }
            runner = null;
        }
    }

    /// <summary>The attempts of which a process lives whose workspace lies in <paramref name="root"/>.</summary>
    public static HashSet<Guid> FindIn(string root)
    {
        var prefix = Encoding.UTF8.GetBytes(root.TrimEnd('/') + "/");
        var found = new HashSet<Guid>();
        using var environment = new EnvironmentReader();
        foreach (var pid in AllProcesses())
        {
            if (!environment.TryRead(pid)) continue;
            if (environment[WorkspaceKey].StartsWith(prefix) && environment.AttemptId is { } attemptId) found.Add(attemptId);
        }
        return found;
    }

    private static List<SafeFileHandle> Open(IReadOnlySet<Guid> attempts, ProcessIdentity? runner)
    {
        var below = runner is { } root && ProcessIdentity.Of(root.Pid) == root ? Below(root.Pid) : [];
        var found = new List<SafeFileHandle>();
        using var environment = new EnvironmentReader();
        bool Belongs(int pid) =>
            below.Contains(pid) || (environment.TryRead(pid) && environment.AttemptId is { } attemptId && attempts.Contains(attemptId));
        foreach (var pid in AllProcesses())
        {
            if (!Belongs(pid) || LibC.OpenProcess(pid) is not { } process) continue;
            if (Belongs(pid)) found.Add(process);
            else process.Dispose();
        }
        return found;
    }

    /// <summary>The process itself, its descendants, and its session's.</summary>
    private static HashSet<int> Below(int root)
    {
        var parents = new List<(int Pid, int Parent)>();
        var below = new HashSet<int> { root };
        foreach (var pid in AllProcesses())
        {
            if (Read(pid, "stat") is not { } stat) continue;
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 5);
            parents.Add((pid, int.Parse(fields[1], CultureInfo.InvariantCulture)));
            if (int.Parse(fields[3], CultureInfo.InvariantCulture) == root) below.Add(pid);
        }
        for (var grown = true; grown;)
        {
            grown = false;
            foreach (var (pid, parent) in parents) grown |= below.Contains(parent) && below.Add(pid);
        }
        return below;
    }

    private static IEnumerable<int> AllProcesses() => Directory.EnumerateDirectories("/proc")
        .Select(path => int.TryParse(path.AsSpan("/proc/".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? pid : 0)
        .Where(pid => pid > 0 && pid != Environment.ProcessId);

    private static string? Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Reads one process's environment after the other into one buffer, and without .NET's file layer, which over all
    /// processes of a machine would cost several times the reads themselves.
    /// </summary>
    private sealed unsafe class EnvironmentReader : IDisposable
    {
        private const int CloseOnExec = 0x80000;
        private const int Largest = 2 * 1024 * 1024; // a quarter of the default stack, which is the kernel's limit
        private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(Largest);
        private int length;

        public Guid? AttemptId => Guid.TryParse(this[AttemptKey], out var id) ? id : null;

        /// <summary>The value of a variable, given with its equals sign; empty where there is none.</summary>
        public ReadOnlySpan<byte> this[ReadOnlySpan<byte> key]
        {
            get
            {
                // PATH=/usr/bin␀KOHAKKU_ATTEMPT_ID=0199…␀…
                ReadOnlySpan<byte> rest = buffer.AsSpan(0, length);
                while (rest.Length > 0)
                {
                    var end = rest.IndexOf((byte)0) is var at and >= 0 ? at : rest.Length;
                    if (rest[..end].StartsWith(key)) return rest[key.Length..end];
                    rest = rest[Math.Min(end + 1, rest.Length)..];
                }
                return default;
            }
        }

        /// <returns>False when it has ended, is the kernel's, or is not ours to read.</returns>
        public bool TryRead(int pid)
        {
            length = 0;
            var path = stackalloc byte[64];
            path[Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/environ"), new Span<byte>(path, 63))] = 0;
            var descriptor = LibC.Open(path, CloseOnExec);
            if (descriptor < 0) return false;
            fixed (byte* start = buffer)
            {
                for (nint read; length < Largest && (read = LibC.Read(descriptor, start + length, Largest - length)) > 0;) length += (int)read;
            }
            _ = LibC.Close(descriptor);
            return length > 0;
        }

        public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);
    }
}
