using System.Globalization;
using Kohakku.Agent.Protocol;

namespace Kohakku.Agent.Artifacts;

/// <summary>Streams what the agent left to the dispatcher, a few files at once. What can't be stored is said, and is no failure of the agent.</summary>
internal sealed class ArtifactUpload(DispatcherClient dispatcher, Action<string> note)
{
    private const int AtOnce = 4;
    private const int MostNotes = 20;
    private int refused;

    public async Task RunAsync(IReadOnlyList<OutputFile> files, CancellationToken cancellationToken)
    {
        await Parallel.ForEachAsync(
            files, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (file, cancel) => await UploadAsync(file, cancel));
        if (refused > MostNotes) note(string.Create(CultureInfo.InvariantCulture, $"{refused} artifacts in all were not stored"));
    }

    private async Task UploadAsync(OutputFile file, CancellationToken cancellationToken)
    {
        string? why;
        try
        {
            why = await dispatcher.PutArtifactAsync(file.Path, ContentTypes.Of(file.Path), file.Size, () => File.OpenRead(file.File), cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            why = fault.Message;
        }
        if (why is not null && Interlocked.Increment(ref refused) <= MostNotes) note($"output/{file.Path} was not stored: {why}");
    }
}
