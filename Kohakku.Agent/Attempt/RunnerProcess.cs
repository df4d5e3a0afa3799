using System.Globalization;
using Kohakku.Agent.Processes;

namespace Kohakku.Agent.Attempt;

/// <summary>The life of the runner's process: settings, one attempt, the exit code left behind.</summary>
internal static class RunnerProcess
{
    public static async Task<int> RunAsync()
    {
        RunnerSettings settings;
        try
        {
            settings = RunnerSettings.Read(Environment.GetEnvironmentVariable);
        }
        catch (RunnerFault fault)
        {
            Terminal.Say(fault.Message);
            LeaveExitCode(Environment.GetEnvironmentVariable(RunnerSettings.ExitFileKey), ExitCodes.RunnerFailed);
            return ExitCodes.RunnerFailed;
        }
        var exitCode = await RunAttemptAsync(settings);
        LeaveExitCode(settings.ExitFile, exitCode);
        return exitCode;
    }

    private static async Task<int> RunAttemptAsync(RunnerSettings settings)
    {
        try
        {
            using var run = new AttemptRun(settings, TimeProvider.System);
            return await run.RunAsync();
        }
        // Whatever it is, it is the runner's fault, and the dispatcher is told by the exit code.
        catch (Exception fault)
        {
            Terminal.Say($"{fault.GetType().Name}: {fault.Message}");
            return ExitCodes.RunnerFailed;
        }
    }

    /// <summary>For a dispatcher that was away when the runner ended. In one step, so that it never reads half of it.</summary>
    private static void LeaveExitCode(string? path, int exitCode)
    {
        if (string.IsNullOrEmpty(path)) return;
        try
        {
            var fresh = $"{path}.{Environment.ProcessId}";
            File.WriteAllText(fresh, string.Create(CultureInfo.InvariantCulture, $$"""{"exitCode":{{exitCode}}}"""));
            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Terminal.Say($"the exit code could not be left at {path}: {fault.Message}");
        }
    }
}
