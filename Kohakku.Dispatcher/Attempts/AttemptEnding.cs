using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>Decides how an attempt ended, and says it in words for a person.</summary>
internal static class AttemptEnding
{
    // Exit codes of the runner: agreed with Kohakku.Agent.
    private const int TokenRefused = 3;
    private const int DispatcherUnreachable = 4;
    private const int RunnerFault = 10;
    private const int FirstSignal = 128;

    public static EndedData OfLaunch(AttemptStatus status, AttemptInput.LaunchFailed failed) =>
        OfStop(status, failed.LogTail) ?? new EndedData(AttemptState.Failed, failed.Reason, null, failed.Message, null, failed.LogTail, failed.Transient);

    public static EndedData OfExit(AttemptStatus status, AttemptInput.Exited exited)
    {
        var tail = exited.LogTail;
        // A posted result counts whatever came after it.
        if (status.Result is { } result) return OfResult(result, exited);
        if (OfStop(status, tail) is { } stopped) return stopped;
        if (exited.Exit.OutOfMemory) return OutOfMemory(exited.Exit.ExitCode, tail);
        return exited.Exit.ExitCode switch
        {
            0 => Failed(FailureReason.AgentError, 0, "The agent ended without posting a result.", tail),
            TokenRefused => Failed(FailureReason.HeartbeatLost, TokenRefused, "The runner was told that its attempt is over and stopped the agent.", tail),
            DispatcherUnreachable => Failed(FailureReason.HeartbeatLost, DispatcherUnreachable, "The runner could not reach its dispatcher any more and stopped the agent.", tail),
            RunnerFault => Failed(FailureReason.StartFailed, RunnerFault, RunnerFaultMessage(exited.Exit.LogTail), tail),
            null => Failed(FailureReason.HeartbeatLost, null, "The runner vanished without saying how the agent ended.", tail),
            >= FirstSignal and var code => Failed(FailureReason.HeartbeatLost, code, $"The runner was killed by signal {code - FirstSignal} before it could report.", tail),
            var code when exited.WasAlive => Failed(FailureReason.HeartbeatLost, code, $"The runner ended with exit code {code} without saying how the agent ended.", tail),
            var code => Failed(FailureReason.StartFailed, code, $"The runner ended with exit code {code} before it reached its dispatcher.", tail),
        };
    }

    private static EndedData OfResult(AgentResult result, AttemptInput.Exited exited)
    {
        var code = result.ExitCode;
        if (result.Status == AgentOutcome.Succeeded && code is null or 0)
            return new EndedData(AttemptState.Succeeded, null, code, result.Summary, result.Output, exited.LogTail);
        if (exited.Exit.OutOfMemory) return OutOfMemory(code, exited.LogTail) with { Output = result.Output };
        // We stopped nothing, or it would be OfStop's: an engine that restarts, or a machine that goes down, ends what runs on it.
        if (result.Reason == FailureReason.Canceled)
            return Failed(FailureReason.DispatcherLost, code, "It was ended from outside, as by a restart of the container engine or of the machine.", exited.LogTail);
        var reason = result.Status == AgentOutcome.Succeeded ? FailureReason.AgentExit : result.Reason ?? FailureReason.AgentError;
        var message = result.Status == AgentOutcome.Succeeded
            ? $"The agent reported success, but ended with exit code {code}."
            : result.Error ?? result.Summary ?? "The agent reported failure and did not say why.";
        return new EndedData(AttemptState.Failed, reason, code, message, result.Output, exited.LogTail);
    }

    /// <summary>A stop says why it ended; what came after it says with which exit code and output.</summary>
    private static EndedData? OfStop(AttemptStatus status, string? tail)
    {
        var (exitCode, output) = (status.AfterStop?.ExitCode, status.AfterStop?.Output);
        return status.Stop switch
        {
            StopCause.Canceled => new EndedData(AttemptState.Canceled, FailureReason.Canceled, exitCode, status.StopReason ?? "It was canceled.", output, tail),
            StopCause.Timeout => new EndedData(AttemptState.TimedOut, FailureReason.Timeout, exitCode, status.StopReason ?? "It ran longer than its timeout.", output, tail),
            StopCause.HeartbeatLost => Failed(FailureReason.HeartbeatLost, exitCode, status.StopReason ?? "The agent gave no sign of life.", tail),
            StopCause.Shutdown => Failed(FailureReason.DispatcherLost, exitCode, "The dispatcher was stopped.", tail),
            _ => null,
        };
    }

    private static EndedData OutOfMemory(int? exitCode, string? tail) =>
        Failed(FailureReason.OutOfMemory, exitCode, "The agent used more memory than its limit allows, and was killed.", tail);

    private static EndedData Failed(FailureReason reason, int? exitCode, string message, string? tail) =>
        new(AttemptState.Failed, reason, exitCode, message, null, tail);

    private static string RunnerFaultMessage(string logTail)
    {
        var last = logTail.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        return last is null ? "The runner failed before the agent ended, and did not say why." : $"The runner failed: {last}";
    }
}
