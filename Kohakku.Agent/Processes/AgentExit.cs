namespace Kohakku.Agent.Processes;

/// <summary>How the agent's main process ended.</summary>
/// <param name="Signal">What killed it, or null.</param>
internal readonly record struct AgentExit(int Code, int? Signal)
{
    public static AgentExit OfWaitStatus(int status) =>
        (status & 0x7f) is var signal and not 0 ? new AgentExit(128 + signal, signal) : new AgentExit((status >> 8) & 0xff, null);

    public bool IsSuccess => Code == 0;

    public override string ToString() => Signal is { } signal ? $"was killed by {Signals.NameOf(signal)}" : $"exited with code {Code}";
}
