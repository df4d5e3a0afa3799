using System.Globalization;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>A process, told apart from a later one that got the same number.</summary>
/// <param name="StartTime">In clock ticks since the machine started, as the kernel has it.</param>
internal readonly record struct ProcessIdentity(int Pid, ulong StartTime)
{
    /// <summary>Null when there is no such process.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        try
        {
            // 4711 (a name) with) brackets) S 1 4711 4711 0 -1 4194304 … — the start time is the 20th field after the name.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return new ProcessIdentity(pid, ulong.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Pid}:{StartTime}");

    public static bool TryParse(string? text, out ProcessIdentity identity)
    {
        identity = default;
        var parts = text?.Split(':');
        if (parts is not { Length: 2 }
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            || !ulong.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var startTime))
        {
            return false;
        }
        identity = new ProcessIdentity(pid, startTime);
        return true;
    }
}
