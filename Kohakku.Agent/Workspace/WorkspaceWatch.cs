using Kohakku.Agent.Attempt;
using Kohakku.Agent.Processes;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Workspace;

/// <summary>Stops an agent whose workspace grows over its limit, before it fills the disk of all others.</summary>
internal sealed class WorkspaceWatch(string root, long limitBytes, Stops stops, TimeProvider time)
{
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(3);
    /// <summary>At most a twentieth of the time is spent looking, however many files there are.</summary>
    private const int Share = 20;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var interval = ShortestInterval;
        while (true)
        {
            try
            {
                await Task.Delay(interval, time, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            var begun = time.GetTimestamp();
            if (Measure(limitBytes) > limitBytes)
            {
                stops.Request(new Stop(
                    $"The workspace grew over its limit of {limitBytes / 1024 / 1024} MiB, so the agent was stopped.", Signals.Terminate, FailureReason.AgentError));
                return;
            }
            var longer = time.GetElapsedTime(begun) * Share;
            interval = longer > ShortestInterval ? longer : ShortestInterval;
        }
    }

    /// <summary>The bytes on the disk; counts no further once there are more than <paramref name="enough"/>.</summary>
    internal long Measure(long enough)
    {
        long total = 0;
        var folders = new Stack<string>([root]);
        while (total <= enough && folders.TryPop(out var folder))
        {
            try
            {
                foreach (var path in Directory.EnumerateFileSystemEntries(folder))
                {
                    if (FileStatus.Of(path) is not { } status) continue;
                    total += status.Allocated;
                    if (status.Kind == FileKind.Folder) folders.Push(path);
                }
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // The agent has just removed it, or closed it to others.
            }
        }
        return total;
    }
}
