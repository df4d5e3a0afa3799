namespace Kohakku.Local.ObjectStorage.Storage;

/// <summary>
/// Walks a bucket's keys in the order of S3, reading only the folders that can hold what is asked for. Memory is bounded by
/// the largest folder. What is put or deleted meanwhile may be seen or not.
/// </summary>
internal sealed class KeyWalk(string root, string prefix, string after)
{
    /// <summary>While set, keys that start with it are passed over, folders at a time: how a delimiter folds them.</summary>
    public string? Skip { get; set; }

    /// <summary>Every key that starts with the prefix and comes behind <c>after</c>, with the path of its file.</summary>
    public IEnumerable<(string Key, string Path)> Keys() => Walk(root, "");

    private IEnumerable<(string Key, string Path)> Walk(string folder, string start)
    {
        foreach (var (name, path, isObject) in Entries(folder, start))
        {
            var key = start + name;
            if (Skip is not null && key.StartsWith(Skip, StringComparison.Ordinal)) continue;
            if (isObject)
            {
                if (key.StartsWith(prefix, StringComparison.Ordinal) && KeyOrder.Instance.Compare(key, after) > 0) yield return (key, path);
            }
            else if (MayHold(key))
            {
                foreach (var found in Walk(path, key)) yield return found;
            }
        }
    }

    /// <summary>Whether keys that start with <paramref name="start"/> can be asked for.</summary>
    private bool MayHold(string start) =>
        (start.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(start, StringComparison.Ordinal))
        && (KeyOrder.Instance.Compare(start, after) > 0 || after.StartsWith(start, StringComparison.Ordinal));

    /// <summary>The objects and folders of one folder by their names, a folder's with a slash at its end, in order.</summary>
    private List<(string Name, string Path, bool IsObject)> Entries(string folder, string start)
    {
        // Where the prefix names the next folder, there is no need to look at all the others.
        if (prefix.Length > start.Length && prefix.IndexOf('/', start.Length) is var slash and >= 0)
        {
            var part = prefix[start.Length..slash];
            return [(part + "/", Path.Combine(folder, KeyPath.OfFolderPart(part)), false)];
        }
        var entries = new List<(string Name, string Path, bool IsObject)>();
        Collect(folder, "", entries);
        entries.Sort((one, other) => KeyOrder.Instance.Compare(one.Name, other.Name));
        return entries;
    }

    private static void Collect(string folder, string continued, List<(string Name, string Path, bool IsObject)> entries)
    {
        if (!Directory.Exists(folder)) return;
        try
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(folder))
            {
                var name = Path.GetFileName(path);
                if (name.EndsWith(KeyPath.ObjectMark)) entries.Add((KeyPath.PartOf(continued + name[..^1]), path, true));
                else if (name.EndsWith(KeyPath.ContinuationMark)) Collect(path, continued + name[..^1], entries);
                else entries.Add((KeyPath.PartOf(continued + name) + "/", path, false));
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Its last object was deleted meanwhile.
        }
    }
}
