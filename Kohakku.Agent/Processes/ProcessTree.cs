using System.Globalization;

namespace Kohakku.Agent.Processes;

/// <summary>
/// Everything that the agent started, wherever it went: the runner is the reaper of all below it, so whatever is orphaned,
/// changes its session or clears its environment stays its descendant.
/// </summary>
internal static class ProcessTree
{
    /// <summary>Makes orphaned descendants this process's children; PID 1 of a container is that anyway.</summary>
    public static void BecomeReaper()
    {
        if (LibC.ProcessControl(LibC.SetChildSubreaper, 1, 0, 0, 0) != 0)
        {
            throw LibC.Failure("prctl(PR_SET_CHILD_SUBREAPER)", System.Runtime.InteropServices.Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Sends a signal to every living descendant of this process.</summary>
    public static void Signal(int signal)
    {
        foreach (var pid in Descendants(Environment.ProcessId)) _ = LibC.Kill(pid, signal);
    }

    public static IReadOnlyCollection<int> Descendants(int root)
    {
        var parents = new List<(int Pid, int Parent)>();
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(path.AsSpan("/proc/".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && ParentOf(pid) is { } parent)
            {
                parents.Add((pid, parent));
            }
        }
        var below = new HashSet<int> { root };
        for (var grown = true; grown;)
        {
            grown = false;
            foreach (var (pid, parent) in parents) grown |= below.Contains(parent) && below.Add(pid);
        }
        below.Remove(root);
        return below;
    }

    /// <summary>Null for a process that is gone.</summary>
    private static int? ParentOf(int pid)
    {
        try
        {
            // 4711 (a name) with) brackets) S 1 4711 4711 0 -1 … — also of zombies: of one, threads may still run.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ', 3);
            return int.Parse(fields[1], CultureInfo.InvariantCulture);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
