using Microsoft.Win32.SafeHandles;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>A runner that is watched, whether this process started it or an earlier one did.</summary>
internal sealed class RunnerProcess : IDisposable
{
    private readonly SafeFileHandle process;

    private RunnerProcess(ProcessIdentity identity, SafeFileHandle process, ProcessExits exits, Func<int?> recordedExitCode)
    {
        (Identity, this.process) = (identity, process);
        ExitCode = WhenEnded(exits, recordedExitCode);
    }

    public ProcessIdentity Identity { get; }

    /// <summary>Completes when it has ended; 128 + number for a signal, null when nobody knows.</summary>
    public Task<int?> ExitCode { get; }

    /// <summary>It has ended by itself, and so has seen to what it started.</summary>
    public bool EndedInOrder => ExitCode is { IsCompletedSuccessfully: true } ended && ended.GetAwaiter().GetResult() is < 128;

    /// <summary>A child that was just started; its exit is collected when it ends, whether or not anybody waits.</summary>
    public static RunnerProcess OfChild(int pid, ProcessExits exits)
    {
        // A child that has ended keeps its number until it is collected, so both answers are there and are its own.
        var process = LibC.OpenProcess(pid) ?? throw new IOException($"Process {pid} was collected by somebody else.");
        var identity = ProcessIdentity.Of(pid) ?? throw new IOException($"/proc has no process {pid}.");
        return new RunnerProcess(identity, process, exits, () => null);
    }

    /// <param name="recordedExitCode">What it left behind, read when it has ended.</param>
    /// <returns>Null when it has ended.</returns>
    public static RunnerProcess? Adopt(ProcessIdentity identity, ProcessExits exits, Func<int?> recordedExitCode)
    {
        var process = LibC.OpenProcess(identity.Pid);
        if (process is null) return null;
        // Looked at while the handle is held: from here on the number can't come to mean another process unnoticed.
        if (ProcessIdentity.Of(identity.Pid) == identity) return new RunnerProcess(identity, process, exits, recordedExitCode);
        process.Dispose();
        return null;
    }

    public void Signal(int signal) => LibC.Signal(process, signal);

    public void Dispose()
    {
        if (ExitCode.IsCompleted) process.Dispose();
        else ExitCode.ContinueWith(_ => process.Dispose(), TaskScheduler.Default);
    }

    private async Task<int?> WhenEnded(ProcessExits exits, Func<int?> recordedExitCode)
    {
        await exits.WhenEnded(process);
        return ChildProcess.Collect(process) ?? recordedExitCode();
    }
}
