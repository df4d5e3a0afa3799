using Kohakku.Agent.Workspace;

namespace Kohakku.Agent.Artifacts;

/// <param name="Path">Relative to the output folder, with forward slashes.</param>
/// <param name="File">Where its bytes are; of a link its target.</param>
internal sealed record OutputFile(string Path, string File, long Size);

/// <summary>
/// Lists what an agent left in its output folder. The agent has ended, but what it left is not to be trusted: it may be links
/// to what the agent could not read itself, or pipes that never end.
/// </summary>
internal static class OutputFolder
{
    public const int MostFiles = 10_000;

    /// <param name="note">Hears of everything that is left out, and why.</param>
    public static List<OutputFile> List(string folder, Action<string> note)
    {
        var files = new List<OutputFile>();
        if (FileStatus.Of(folder) is not { Kind: FileKind.Folder })
        {
            note("there is no output folder any more: no artifacts");
            return files;
        }
        var leftOut = 0;
        foreach (var path in Walk(folder, note))
        {
            var name = Path.GetRelativePath(folder, path);
            if (Find(folder, path, name, note) is not { } file) continue;
            if (files.Count < MostFiles) files.Add(file);
            else leftOut++;
        }
        if (leftOut > 0) note($"output/ has more than {MostFiles} files: {leftOut} were left out");
        return files;
    }

    /// <summary>A regular file within the folder, directly or by a link that stays within it; null for all else.</summary>
    public static OutputFile? Find(string folder, string path, string name, Action<string> note)
    {
        switch (FileStatus.Of(path))
        {
            case { Kind: FileKind.Regular } file:
                return new OutputFile(name, path, file.Size);
            case { Kind: FileKind.SymbolicLink }:
                if (TargetWithin(folder, path) is { } target && FileStatus.Of(target) is { Kind: FileKind.Regular } linked)
                {
                    return new OutputFile(name, target, linked.Size);
                }
                note($"output/{name} is a link to no file within output/: left out");
                return null;
            case { Kind: FileKind.Special }:
                note($"output/{name} is no regular file: left out");
                return null;
            default:
                return null;
        }
    }

    private static IEnumerable<string> Walk(string folder, Action<string> note)
    {
        var folders = new Stack<string>([folder]);
        while (folders.TryPop(out var next))
        {
            string[] entries;
            try
            {
                entries = Directory.GetFileSystemEntries(next);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                note($"{next} can't be read: {fault.Message}");
                continue;
            }
            Array.Sort(entries, StringComparer.Ordinal);
            foreach (var path in entries)
            {
                if (FileStatus.Of(path) is { Kind: FileKind.Folder }) folders.Push(path);
                else yield return path;
            }
        }
    }

    /// <summary>Where a link leads in the end, when no step on the way is outside the folder.</summary>
    private static string? TargetWithin(string folder, string link)
    {
        const int longestChain = 40; // as the kernel's
        var path = link;
        for (var step = 0; step < longestChain; step++)
        {
            path = Path.GetFullPath(path);
            if (!path.StartsWith(folder + '/', StringComparison.Ordinal)) return null;
            if (FirstLink(folder, path) is not { } at) return path;
            // Replace the first link on the way by what it says, and look again from the start.
            var rest = path[at.Length..].TrimStart('/');
            var target = new FileInfo(at).LinkTarget;
            if (target is null) return null;
            path = Path.Combine(Path.GetDirectoryName(at)!, target, rest);
        }
        return null;
    }

    private static string? FirstLink(string folder, string path)
    {
        for (var end = folder.Length + 1; end > 0;)
        {
            var next = path.IndexOf('/', end);
            var part = next < 0 ? path : path[..next];
            if (FileStatus.Of(part) is { Kind: FileKind.SymbolicLink }) return part;
            end = next + 1;
        }
        return null;
    }
}
