using Kohakku.Agent.Processes;

namespace Kohakku.Agent.Attempt;

/// <summary>
/// <c>kohakku-agent install PATH</c>: the runner copies itself to where an agent's container finds it. So an init container brings it into a pod,
/// and its image needs no shell.
/// </summary>
internal static class RunnerInstall
{
    public const string Verb = "install";
    private const UnixFileMode ReadAndRun = (UnixFileMode)0b101_101_101;

    public static int Run(string path)
    {
        try
        {
            // The kernel's own name for what runs: whatever it was started as.
            using (var program = File.OpenRead("/proc/self/exe"))
            using (var copy = new FileStream(path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = ReadAndRun | UnixFileMode.UserWrite }))
            {
                program.CopyTo(copy);
            }
            // Whatever the umask took: the agent's user is another.
            File.SetUnixFileMode(path, ReadAndRun);
            return 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Terminal.Say($"the runner could not be copied to {path}: {fault.Message}");
            return ExitCodes.RunnerFailed;
        }
    }
}
