namespace Kohakku.Local.Hosting.Output;

/// <summary>Takes what a process writes to its log and, as far as it matters, to the console.</summary>
internal sealed class OutputPump(string resource, ResourceLog log, HostConsole console)
{
    /// <summary>Runs until the stream ends, which may be later than its process where that left children.</summary>
    public async Task RunAsync(StreamReader stream, ILineLevels levels)
    {
        try
        {
            while (await stream.ReadLineAsync() is { } line)
            {
                log.Write(line);
                console.Line(resource, levels.Next(line), line);
            }
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException)
        {
            // The stream was closed after its process had ended.
        }
    }
}
