using System.Security.Cryptography;
using System.Text.Json;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Backup;

/// <summary>Objects of the bucket, to and from a folder of backups. Streams; a few at once; what the folder has already is not read again.</summary>
internal sealed class ObjectCopies(ObjectStorage storage)
{
    private const int AtOnce = 8;

    /// <summary>Saves all objects. Those that the newest backup has, unchanged by size and time, are taken from it.</summary>
    /// <returns>How many there are, their bytes, and how many had to be read.</returns>
    public async Task<(long Count, long Bytes, long Copied)> SaveAsync(BackupFolder folder, string begun, CancellationToken cancellationToken)
    {
        var known = folder.Names is [.., var newest] ? folder.Objects(newest).ToDictionary(saved => saved.Key, StringComparer.Ordinal) : [];
        var (count, bytes, copied) = (0L, 0L, 0L);
        var gate = new Lock();
        await using var index = new StreamWriter(BackupFolder.ObjectsFile(begun));
        await Parallel.ForEachAsync(
            storage.ListAsync("", cancellationToken), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (found, token) =>
            {
                var kept = known.GetValueOrDefault(found.Key) is { } before && before.Size == found.Size && before.LastModified == found.LastModified && File.Exists(folder.Content(before.Sha256)) ? before : null;
                // Retention may have taken it away meanwhile, and then nothing needs it any more.
                if ((kept ?? await CopyAsync(folder, begun, found, token)) is not { } saved) return;
                var line = JsonSerializer.Serialize(saved, BackupJson.Default.SavedObject);
                lock (gate)
                {
                    index.WriteLine(line);
                    (count, bytes, copied) = (count + 1, bytes + saved.Size, copied + (kept is null ? 1 : 0));
                }
            });
        return (count, bytes, copied);
    }

    /// <summary>Puts all objects of a backup into the bucket, over what is there.</summary>
    /// <exception cref="InvalidDataException">A content is missing, or not what it was; what came before it has been put.</exception>
    public async Task<long> RestoreAsync(BackupFolder folder, string name, CancellationToken cancellationToken)
    {
        var count = 0L;
        await storage.EnsureBucketAsync(cancellationToken);
        await Parallel.ForEachAsync(
            folder.Objects(name), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (saved, token) =>
            {
                var path = folder.Content(saved.Sha256);
                if (!File.Exists(path)) throw new InvalidDataException($"The content of {saved.Key} is missing: {path}.");
                await using var content = File.OpenRead(path);
                if (Convert.ToHexStringLower(await SHA256.HashDataAsync(content, token)) != saved.Sha256) throw new InvalidDataException($"The content of {saved.Key} is damaged: {path}.");
                content.Position = 0;
                await storage.PutAsync(saved.Key, content, saved.ContentType, token);
                Interlocked.Increment(ref count);
            });
        return count;
    }

    private async Task<SavedObject?> CopyAsync(BackupFolder folder, string begun, StoredObjectInfo found, CancellationToken cancellationToken)
    {
        await using var stored = await storage.GetAsync(found.Key, null, null, cancellationToken);
        if (stored is null) return null;
        var part = Path.Combine(begun, Guid.NewGuid().ToString("N"));
        string sha256;
        long size;
        await using (var file = new FileStream(part, FileMode.CreateNew, FileAccess.ReadWrite))
        {
            await stored.Content.CopyToAsync(file, cancellationToken);
            size = file.Length;
            if (size != stored.Length) throw new InvalidDataException($"{found.Key} ended after {size} of {stored.Length} bytes.");
            file.Position = 0;
            sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
            file.Flush(flushToDisk: true);
        }

        var path = folder.Content(sha256);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Move(part, path, overwrite: true);
        return new SavedObject(found.Key, size, found.LastModified, stored.ContentType, sha256);
    }
}
