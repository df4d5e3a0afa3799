namespace Kohakku.Local.Hosting.Processes;

/// <summary>Remembers which process a resource runs as, so that one that outlived its host is found by the next.</summary>
internal sealed class PidFile(string path)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    public void Write(ProcessIdentity process) => File.WriteAllText(path, process.ToString());

    public void Delete() => File.Delete(path);

    public ProcessIdentity? Read()
    {
        try
        {
            return ProcessIdentity.Parse(File.ReadAllText(path));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Ends what an earlier host left running, at first kindly: it may be at it already, told by the kernel of its host's end.</summary>
    /// <returns>Whether there was such a process.</returns>
    public async Task<bool> StopLeftoverAsync(int stopSignal, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (Read() is not { IsAlive: true } process)
        {
            Delete();
            return false;
        }
        process.Signal(stopSignal);
        var waited = TimeSpan.Zero;
        for (; process.IsAlive; waited += Poll)
        {
            if (waited >= grace) process.Signal(LibC.SigKill);
            await Task.Delay(Poll, cancellationToken);
        }
        Delete();
        return true;
    }
}
