using System.Globalization;

namespace Kohakku.Local.Hosting.Processes;

/// <summary>A process, told apart from a later one that got the same number.</summary>
/// <param name="StartTime">In clock ticks since the machine started, as the kernel has it.</param>
internal readonly record struct ProcessIdentity(int Pid, ulong StartTime)
{
    /// <summary>Null when there is no such process, or only what is left of one until its parent collects it.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            // 4711 (a name) with) brackets) S 1 4711 4711 0 -1 4194304 … — state is the first field after the name, start time the 20th.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] == "Z" ? null : new ProcessIdentity(pid, ulong.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public bool IsAlive => Of(Pid) == this;

    public void Signal(int signal)
    {
        if (IsAlive) _ = LibC.Kill(Pid, signal);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Pid}:{StartTime}");

    public static ProcessIdentity? Parse(string? text)
    {
        var parts = text?.Trim().Split(':');
        return parts is { Length: 2 }
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            && ulong.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var startTime)
            ? new ProcessIdentity(pid, startTime)
            : null;
    }
}
