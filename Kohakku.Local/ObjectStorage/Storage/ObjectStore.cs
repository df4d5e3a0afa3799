namespace Kohakku.Local.ObjectStorage.Storage;

/// <summary>
/// Buckets and objects in a folder. Whatever is visible is whole: a file is written aside, flushed, and then renamed into
/// place, and the folder flushed, before the answer. Safe for any thread: the short changes of folders exclude each other.
/// <code>
/// buckets/{bucket}/objects/…    the objects, by their keys (<see cref="KeyPath"/>)
/// buckets/{bucket}/uploads/…    the parts of unfinished multipart uploads
/// tmp/…                         what is on its way; emptied at start
/// </code>
/// </summary>
internal sealed class ObjectStore
{
    private readonly string _buckets;
    private readonly string _tmp;
    private readonly Lock _changes = new();

    public ObjectStore(string folder)
    {
        _buckets = Path.Combine(Path.GetFullPath(folder), "buckets");
        _tmp = Path.Combine(Path.GetFullPath(folder), "tmp");
        Directory.CreateDirectory(_buckets);
        if (Directory.Exists(_tmp)) Directory.Delete(_tmp, recursive: true);
        Directory.CreateDirectory(_tmp);
    }

    public IEnumerable<(string Name, DateTimeOffset CreatedAt)> Buckets() =>
        new DirectoryInfo(_buckets).EnumerateDirectories().OrderBy(folder => folder.Name, StringComparer.Ordinal)
            .Select(folder => (folder.Name, new DateTimeOffset(folder.CreationTimeUtc)));

    public bool HasBucket(string bucket) => IsBucketName(bucket) && Directory.Exists(ObjectsOf(bucket));

    /// <summary>False where it is there already.</summary>
    public bool CreateBucket(string bucket)
    {
        if (!IsBucketName(bucket)) throw S3Errors.InvalidBucketName(bucket);
        lock (_changes)
        {
            if (Directory.Exists(ObjectsOf(bucket))) return false;
            DurableFiles.CreateFolder(UploadsOf(bucket), _buckets);
            DurableFiles.CreateFolder(ObjectsOf(bucket), _buckets);
            return true;
        }
    }

    public void DeleteBucket(string bucket)
    {
        RequireBucket(bucket);
        lock (_changes)
        {
            if (Directory.EnumerateFileSystemEntries(ObjectsOf(bucket)).Any()) throw S3Errors.BucketNotEmpty();
            Directory.Delete(Path.Combine(_buckets, bucket), recursive: true);
            DurableFiles.FlushFolder(_buckets);
        }
    }

    public void RequireBucket(string bucket)
    {
        if (!HasBucket(bucket)) throw S3Errors.NoSuchBucket();
    }

    public string ObjectsOf(string bucket) => Path.Combine(_buckets, bucket, "objects");

    public string UploadsOf(string bucket) => Path.Combine(_buckets, bucket, "uploads");

    /// <summary>The object under a key; null where there is none.</summary>
    public OpenObject? Open(string bucket, string key) => ObjectFile.Open(PathOf(bucket, key));

    /// <summary>A file to write aside; gone when disposed unless it was committed.</summary>
    public PendingFile CreatePending() => new(Path.Combine(_tmp, Guid.NewGuid().ToString("N")));

    /// <summary>Puts a finished file in the place of a key.</summary>
    /// <param name="condition">Sees what is there now, or null, and throws where that should stay.</param>
    public void Commit(PendingFile pending, string bucket, string key, Action<ObjectMetadata?>? condition = null) =>
        CommitTo(pending, PathOf(bucket, key), ObjectsOf(bucket), condition);

    /// <summary>Puts a finished file in the place of another.</summary>
    /// <param name="root">The folder that the path may not leave, and that is there unless the bucket was deleted.</param>
    public void CommitTo(PendingFile pending, string path, string root, Action<ObjectMetadata?>? condition = null)
    {
        var folder = Path.GetDirectoryName(path)!;
        lock (_changes)
        {
            if (!Directory.Exists(root)) throw S3Errors.NoSuchBucket();
            if (condition is not null)
            {
                using var present = ObjectFile.Open(path);
                condition(present?.Metadata);
            }
            DurableFiles.CreateFolder(folder, root);
            pending.MoveTo(path);
        }
        DurableFiles.FlushFolder(folder);
    }

    /// <summary>Deletes an object, and the folders that it leaves empty; does nothing where there is none.</summary>
    public void Delete(string bucket, string key)
    {
        var root = ObjectsOf(bucket);
        var path = PathOf(bucket, key);
        var folder = Path.GetDirectoryName(path)!;
        lock (_changes)
        {
            if (!File.Exists(path)) return;
            File.Delete(path);
            while (folder.Length > root.Length && !Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder);
                folder = Path.GetDirectoryName(folder)!;
            }
        }
        DurableFiles.FlushFolder(folder);
    }

    private string PathOf(string bucket, string key)
    {
        RequireBucket(bucket);
        return Path.Combine(ObjectsOf(bucket), KeyPath.OfObject(key));
    }

    /// <summary>S3's rule; it also keeps the name inside its folder. <c>health</c> is this server's own.</summary>
    private static bool IsBucketName(string name) =>
        name.Length is >= 3 and <= 63 && name != "health"
        && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1]) && !name.Contains("..", StringComparison.Ordinal)
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.');
}

/// <summary>A file on its way into the store.</summary>
internal sealed class PendingFile : IAsyncDisposable
{
    private readonly string _path;
    private bool _moved;

    public PendingFile(string path)
    {
        _path = path;
        // Callers write in large pieces: a buffer of its own would only copy.
        Stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, BufferSize = 0, Options = FileOptions.Asynchronous });
    }

    public FileStream Stream { get; }

    public void MoveTo(string path)
    {
        File.Move(_path, path, overwrite: true);
        _moved = true;
    }

    public async ValueTask DisposeAsync()
    {
        await Stream.DisposeAsync();
        if (!_moved) File.Delete(_path);
    }
}
