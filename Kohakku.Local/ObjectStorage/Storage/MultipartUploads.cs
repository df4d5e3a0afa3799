using System.Globalization;
using System.Text.Json;

namespace Kohakku.Local.ObjectStorage.Storage;

/// <param name="Headers">As of <see cref="ObjectMetadata"/>, for the object to come.</param>
internal sealed record UploadMetadata(string Key, DateTimeOffset Initiated, IReadOnlyDictionary<string, string> Headers);

/// <summary>The unfinished multipart uploads of a store, each a folder with its parts: <c>uploads/{id}/upload.json</c>, <c>00001</c>, ….</summary>
internal sealed class MultipartUploads(ObjectStore store)
{
    private const string MetadataName = "upload.json";

    public async Task<string> CreateAsync(string bucket, UploadMetadata upload, CancellationToken cancellationToken)
    {
        store.RequireBucket(bucket);
        var id = Guid.CreateVersion7().ToString("N");
        await using var pending = store.CreatePending();
        await JsonSerializer.SerializeAsync(pending.Stream, upload, StorageJson.Default.UploadMetadata, cancellationToken);
        pending.Stream.Flush(flushToDisk: true);
        store.CommitTo(pending, Path.Combine(FolderOf(bucket, id), MetadataName), store.UploadsOf(bucket));
        return id;
    }

    /// <summary>An upload of that id for that key; null where there is none (any more).</summary>
    public UploadMetadata? Find(string bucket, string key, string id)
    {
        store.RequireBucket(bucket);
        return IsId(id) && Read(FolderOf(bucket, id)) is { } upload && upload.Key == key ? upload : null;
    }

    /// <summary>By key, then by age.</summary>
    public IReadOnlyList<(string Id, UploadMetadata Upload)> List(string bucket, string prefix)
    {
        store.RequireBucket(bucket);
        return [.. Directory.EnumerateDirectories(store.UploadsOf(bucket))
            .Select(folder => (Id: Path.GetFileName(folder), Upload: Read(folder)!))
            .Where(entry => entry.Upload is not null && entry.Upload.Key.StartsWith(prefix, StringComparison.Ordinal))
            .OrderBy(entry => entry.Upload.Key, KeyOrder.Instance).ThenBy(entry => entry.Id, StringComparer.Ordinal)];
    }

    public void CommitPart(PendingFile pending, string bucket, string id, int number)
    {
        var folder = FolderOf(bucket, id);
        // The upload's folder is the root: a part that comes after an abort must not bring it back.
        if (!Directory.Exists(folder)) throw S3Errors.NoSuchUpload();
        store.CommitTo(pending, PartPath(folder, number), folder);
    }

    public OpenObject? OpenPart(string bucket, string id, int number) => ObjectFile.Open(PartPath(FolderOf(bucket, id), number));

    public IEnumerable<int> PartNumbers(string bucket, string id) =>
        Directory.EnumerateFiles(FolderOf(bucket, id))
            .Select(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0)
            .Where(number => number > 0).Order();

    public void Remove(string bucket, string id)
    {
        try
        {
            Directory.Delete(FolderOf(bucket, id), recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another request was faster.
        }
        DurableFiles.FlushFolder(store.UploadsOf(bucket));
    }

    private static UploadMetadata? Read(string folder)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(folder, MetadataName)), StorageJson.Default.UploadMetadata);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string FolderOf(string bucket, string id) => Path.Combine(store.UploadsOf(bucket), id);

    private static string PartPath(string folder, int number) => Path.Combine(folder, number.ToString("D5", CultureInfo.InvariantCulture));

    /// <summary>Ids are this server's own; anything else is not even looked for.</summary>
    private static bool IsId(string id) => id.Length == 32 && id.All(char.IsAsciiHexDigitLower);
}
