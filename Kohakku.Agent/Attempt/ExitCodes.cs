namespace Kohakku.Agent.Attempt;

/// <summary>What the runner's own exit code tells the dispatcher.</summary>
internal static class ExitCodes
{
    /// <summary>The dispatcher has the result, whatever the agent's fate.</summary>
    public const int Reported = 0;
    /// <summary>The attempt is over for the dispatcher (401, 409): the agent was killed, nothing was reported.</summary>
    public const int Superseded = 3;
    /// <summary>The dispatcher could not be reached for too long: the agent was stopped.</summary>
    public const int Unreachable = 4;
    /// <summary>The runner itself failed and could not report it; the last line on stderr says what.</summary>
    public const int RunnerFailed = 10;
    public const int Usage = 64;
}
