using System.Runtime.CompilerServices;
using Kohakku.Contracts.Storage;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Logs;

/// <summary>Logs as dispatchers left them in object storage: segments that are one text when put together in their order.</summary>
internal sealed class StoredLogs(ObjectStorage storage)
{
    private const int ChunkSize = 64 * 1024;

    /// <summary>The log from a byte on.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(Guid attemptId, long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var segment in await SegmentsAsync(attemptId, cancellationToken))
        {
            if (from >= segment.Size)
            {
                from -= segment.Size;
                continue;
            }

            await foreach (var chunk in ChunksAsync(segment, from, cancellationToken)) yield return chunk;
            from = 0;
        }
    }

    /// <summary>Where the last lines begin. Looks from the end on, so that the tail of a long log costs no more than that of a short one.</summary>
    public async Task<long> FindTailAsync(Guid attemptId, int lines, CancellationToken cancellationToken)
    {
        var segments = await SegmentsAsync(attemptId, cancellationToken);
        var start = segments.Sum(segment => segment.Size);
        if (lines == 0) return start;
        // The line end at the very end of the log ends its last line, and begins none.
        var wanted = (long)lines;
        for (var i = segments.Count - 1; i >= 0; i--)
        {
            start -= segments[i].Size;
            var ends = await CountLineEndsAsync(segments[i], isLast: i == segments.Count - 1, cancellationToken);
            if (ends >= wanted) return start + await FindLineEndAsync(segments[i], ends - wanted, cancellationToken) + 1;
            wanted -= ends;
        }

        return 0;
    }

    private async Task<long> CountLineEndsAsync(StoredObjectInfo segment, bool isLast, CancellationToken cancellationToken)
    {
        var count = 0L;
        byte last = 0;
        await foreach (var chunk in ChunksAsync(segment, 0, cancellationToken))
        {
            count += chunk.Span.Count((byte)'\n');
            last = chunk.Span[^1];
        }

        return isLast && last == '\n' ? count - 1 : count;
    }

    /// <param name="skip">How many line ends to pass by.</param>
    private async Task<long> FindLineEndAsync(StoredObjectInfo segment, long skip, CancellationToken cancellationToken)
    {
        var offset = 0L;
        await foreach (var chunk in ChunksAsync(segment, 0, cancellationToken))
        {
            for (var position = 0; chunk.Span[position..].IndexOf((byte)'\n') is var next and >= 0; position += next + 1)
            {
                if (skip-- == 0) return offset + position + next;
            }

            offset += chunk.Length;
        }

        throw new InvalidDataException($"{segment.Key} changed while it was read.");
    }

    private async Task<List<StoredObjectInfo>> SegmentsAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        var segments = new List<StoredObjectInfo>();
        await foreach (var segment in storage.ListAsync(ObjectKeys.Logs(attemptId), cancellationToken))
        {
            if (segment.Size > 0) segments.Add(segment);
        }

        segments.Sort((left, right) => string.CompareOrdinal(left.Key, right.Key));
        return segments;
    }

    private async IAsyncEnumerable<ReadOnlyMemory<byte>> ChunksAsync(StoredObjectInfo segment, long from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (segment.Size <= from) yield break;
        await using var stored = await storage.GetAsync(segment.Key, from, segment.Size - 1, cancellationToken);
        if (stored is null) yield break;
        var buffer = new byte[ChunkSize];
        int length;
        while ((length = await stored.Content.ReadAsync(buffer, cancellationToken)) > 0) yield return buffer.AsMemory(0, length);
    }
}
