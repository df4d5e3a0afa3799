using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Attempt;

/// <summary>The runner itself, or what it stands on, is broken: never the agent's failure.</summary>
internal class RunnerFault(string message, Exception? inner = null) : Exception(message, inner)
{
    public virtual FailureReason Reason => FailureReason.StartFailed;

    /// <summary>Null unless a shell would have an exit code for it.</summary>
    public virtual int? ExitCode => null;
}

/// <summary>The agent as it was defined can't run: trying again on another machine would not help.</summary>
internal sealed class AgentFault(string message, FailureReason reason, int? exitCode = null) : RunnerFault(message)
{
    public override FailureReason Reason => reason;

    public override int? ExitCode => exitCode;
}
