using System.Runtime.InteropServices;
using Kohakku.Agent.Workspace;

namespace Kohakku.Agent.Processes;

/// <summary>
/// The running agent: one main process in a session of its own, and whatever it starts. One thread collects every child that
/// ends, ours or orphaned to us; when there is none left, nothing of the agent runs any more.
/// </summary>
internal sealed class AgentProcess
{
    private static readonly TimeSpan KillInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(10);
    private static readonly AgentExit Killed = new(128 + Signals.Kill, Signals.Kill);
    private readonly TaskCompletionSource<AgentExit> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int pid;

    private AgentProcess(int pid, int stdout, int stderr) => (this.pid, Stdout, Stderr) = (pid, stdout, stderr);

    /// <summary>The reading end of its output; the one who reads it closes it.</summary>
    public int Stdout { get; }

    public int Stderr { get; }

    /// <summary>The main process has ended.</summary>
    public Task<AgentExit> Exited => exited.Task;

    /// <summary>It and all it started have ended.</summary>
    public Task AllEnded => allEnded.Task;

    /// <exception cref="Attempt.RunnerFault">It could not be started.</exception>
    public static AgentProcess Start(AgentCommand command, RunAs? runAs)
    {
        ProcessTree.BecomeReaper();
        var stdout = Spawner.Pipe();
        var stderr = Spawner.Pipe();
        var error = runAs is null
            ? Spawner.Start(command, [stdout.Write, stderr.Write], out var pid)
            : Trampoline.Start(command, runAs, stdout.Write, stderr.Write, out pid);
        _ = LibC.Close(stdout.Write);
        _ = LibC.Close(stderr.Write);
        if (error != 0)
        {
            _ = LibC.Close(stdout.Read);
            _ = LibC.Close(stderr.Read);
            throw CommandLookup.Refused(command.Arguments[0], error);
        }
        var agent = new AgentProcess(pid, stdout.Read, stderr.Read);
        new Thread(agent.CollectChildren, maxStackSize: 256 * 1024) { IsBackground = true, Name = "reaper" }.Start();
        return agent;
    }

    /// <summary>Passes a signal on to its process group. One that has ended gets nothing.</summary>
    public void Signal(int signal) => _ = LibC.Kill(-pid, signal);

    /// <summary>Asks its group to end, and kills all that is left after the grace period.</summary>
    public async Task<AgentExit> StopAsync(int signal, TimeSpan grace, TimeProvider time)
    {
        if (signal != Signals.Kill && !Exited.IsCompleted)
        {
            Signal(signal);
            // One that is stopped would not hear it.
            Signal(Signals.Continue);
            await Task.WhenAny(Exited, Task.Delay(grace, time));
        }
        await KillAllAsync(time);
        return await Exited;
    }

    /// <summary>Kills everything that is left, until nothing is, or what is left can't be killed (it hangs in the kernel).</summary>
    public async Task KillAllAsync(TimeProvider time)
    {
        var begun = time.GetTimestamp();
        while (!AllEnded.IsCompleted && time.GetElapsedTime(begun) < KillLimit)
        {
            ProcessTree.Signal(Signals.Kill);
            await Task.WhenAny(AllEnded, Task.Delay(KillInterval, time));
        }
        exited.TrySetResult(Killed);
    }

    private void CollectChildren()
    {
        while (true)
        {
            var ended = LibC.WaitPid(-1, out var status, 0);
            if (ended == pid) exited.TrySetResult(AgentExit.OfWaitStatus(status));
            // ECHILD: there is no child, and since orphans become ours, no descendant either.
            if (ended < 0 && Marshal.GetLastPInvokeError() != LibC.Interrupted) break;
        }
        exited.TrySetResult(Killed);
        allEnded.TrySetResult();
    }
}
