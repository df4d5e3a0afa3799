namespace Kohakku.Tests.EndToEnd;

/// <summary>Finds agents' processes on this host, also those in containers, by the task's id in their environment.</summary>
internal static class AgentProcesses
{
    public static IReadOnlyList<int> Of(Guid taskId) => [.. All().Where(process => process.Environment.Contains($"KOHAKKU_TASK_ID={taskId}", StringComparison.Ordinal)).Select(process => process.Pid)];

    /// <summary>All but this process whose environment names the text, for example a data folder.</summary>
    public static IReadOnlyList<int> Naming(string text) =>
        [.. All().Where(process => process.Pid != Environment.ProcessId && process.Environment.Contains(text, StringComparison.Ordinal)).Select(process => process.Pid)];

    private static IEnumerable<(int Pid, string Environment)> All()
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), out var pid)) continue;
            string environment;
            try
            {
                environment = File.ReadAllText(Path.Combine(folder, "environ"));
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                continue;
            }
            yield return (pid, environment);
        }
    }
}
