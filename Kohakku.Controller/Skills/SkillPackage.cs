using System.IO.Compression;

namespace Kohakku.Controller.Skills;

/// <summary>
/// Judges an uploaded package without trusting a word of it: what it says of its sizes is checked by unpacking it, within bounds, to nowhere. It
/// holds <c>SKILL.md</c> at its root, or in one folder that is called like the skill.
/// </summary>
internal static class SkillPackage
{
    public const int MaxBytes = 50 * 1024 * 1024;
    private const long MaxUnpackedBytes = 200 * 1024 * 1024;
    private const int MaxEntries = 5_000;
    private const int MaxManifestBytes = 1024 * 1024;
    private const int MaxPathLength = 500;
    private const string ManifestName = "SKILL.md";
    private const int FileTypeMask = 0xF000;
    private const int RegularFile = 0x8000;
    private const int Folder = 0x4000;

    /// <summary>Answers the package's head, or null and what is wrong with it, by entry.</summary>
    public static async Task<SkillManifest?> InspectAsync(Stream package, string name, List<string> faults, CancellationToken cancellationToken)
    {
        try
        {
            using var zip = new ZipArchive(package, ZipArchiveMode.Read, leaveOpen: true);
            CheckNames(zip, faults);
            if (faults.Count > 0) return null;
            var manifest = await UnpackAsync(zip, name, faults, cancellationToken);
            if (faults.Count > 0) return null;
            if (manifest is not null) return SkillManifest.Parse(manifest, name, faults);
            faults.Add($"must hold {ManifestName} at its root, or in one folder called {name}");
        }
        catch (InvalidDataException)
        {
            faults.Add("must be a zip file, whole and not encrypted");
        }

        return null;
    }

    private static void CheckNames(ZipArchive zip, List<string> faults)
    {
        if (zip.Entries.Count == 0) faults.Add("must not be empty");
        if (zip.Entries.Count > MaxEntries)
        {
            faults.Add($"must have at most {MaxEntries} entries");
            return;
        }

        var files = new HashSet<string>(StringComparer.Ordinal);
        var folders = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in zip.Entries)
        {
            var path = entry.FullName;
            var isFolder = path.EndsWith('/');
            if (PathFault(path) is { } rule) faults.Add($"{Shown(path)} {rule}");
            else if (!IsPlain(entry)) faults.Add($"{Shown(path)} must be a file or a folder, not a link or a device");
            else if (!isFolder && !files.Add(path)) faults.Add($"{Shown(path)} is in it twice");
            for (var slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1)) folders.Add(path[..slash]);
        }

        foreach (var path in files.Where(folders.Contains)) faults.Add($"{Shown(path)} is both a file and a folder");
    }

    private static string? PathFault(string path)
    {
        if (path.Length is 0 or > MaxPathLength) return $"must have a path of 1 to {MaxPathLength} characters";
        if (path.Any(char.IsControl)) return "must not have control characters in its path";
        if (path.Contains('\\', StringComparison.Ordinal)) return "must separate folders by /";
        if (path[0] == '/' || (path.Length > 1 && path[1] == ':')) return "must have a relative path";
        return path.TrimEnd('/').Split('/').Any(part => part is "" or "." or "..") ? "must not leave its folder" : null;
    }

    // The upper half of the attributes is Unix's mode; 0 where the package was made elsewhere.
    private static bool IsPlain(ZipArchiveEntry entry) => ((entry.ExternalAttributes >> 16) & FileTypeMask) is 0 or RegularFile or Folder;

    /// <summary>Answers SKILL.md, where there is one.</summary>
    private static async Task<byte[]?> UnpackAsync(ZipArchive zip, string name, List<string> faults, CancellationToken cancellationToken)
    {
        var isInFolder = zip.Entries.All(entry => entry.FullName.StartsWith($"{name}/", StringComparison.Ordinal));
        var manifestPath = isInFolder ? $"{name}/{ManifestName}" : ManifestName;
        byte[]? manifest = null;
        var total = 0L;
        var buffer = new byte[64 * 1024];
        foreach (var entry in zip.Entries)
        {
            using var kept = entry.FullName == manifestPath ? new MemoryStream() : null;
            var length = 0L;
            await using (var content = await entry.OpenAsync(cancellationToken))
            {
                int read;
                while ((read = await content.ReadAsync(buffer, cancellationToken)) > 0)
                {
                    length += read;
                    total += read;
                    if (total > MaxUnpackedBytes || length > entry.Length || (kept is not null && length > MaxManifestBytes)) break;
                    kept?.Write(buffer, 0, read);
                }
            }

            if (total > MaxUnpackedBytes) faults.Add($"must unpack to at most {MaxUnpackedBytes / (1024 * 1024)} MiB; {Shown(entry.FullName)} goes beyond");
            else if (length != entry.Length) faults.Add($"{Shown(entry.FullName)} is not as long as the package says");
            else if (length > MaxManifestBytes && kept is not null) faults.Add($"{ManifestName} must be at most 1 MiB");
            if (faults.Count > 0) return null;
            manifest = kept?.ToArray() ?? manifest;
        }

        return manifest;
    }

    private static string Shown(string path) =>
        $"'{string.Concat(path.Take(100).Select(character => char.IsControl(character) ? '�' : character))}'";
}
