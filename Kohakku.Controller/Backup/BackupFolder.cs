using System.Globalization;
using System.Text.Json;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Backup;

/// <summary>
/// A folder of backups: one folder each, named by its time, and beside them <c>objects/</c>, where contents are kept once however many backups have them.
/// A backup is made under another name and renamed when it is whole, so what is there is whole.
/// </summary>
internal sealed class BackupFolder(string path)
{
    private const string Unfinished = ".unfinished";
    private const string TimeFormat = "yyyy-MM-dd'T'HH-mm-ss'Z'";

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>Whole backups, the oldest first.</summary>
    public IReadOnlyList<string> Names => Directory.Exists(Path)
        ? [.. Directory.EnumerateDirectories(Path).Where(folder => File.Exists(Manifest(folder))).Select(folder => System.IO.Path.GetFileName(folder)).Where(IsName).Order(StringComparer.Ordinal)]
        : [];

    public static string DatabaseFile(string folder) => System.IO.Path.Combine(folder, "database.dump");

    public static string ObjectsFile(string folder) => System.IO.Path.Combine(folder, "objects.jsonl");

    public string Of(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Where the content with this SHA-256 is kept.</summary>
    public string Content(string sha256) => System.IO.Path.Combine(Path, "objects", sha256[..2], sha256);

    /// <summary>A folder to make a backup in. Others' unfinished ones, of processes that died, are taken away.</summary>
    public string Begin()
    {
        Directory.CreateDirectory(Path);
        // It holds all that the installation knows.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var left in Directory.EnumerateDirectories(Path, "*" + Unfinished)) Directory.Delete(left, recursive: true);
        return Directory.CreateDirectory(System.IO.Path.Combine(Path, Guid.NewGuid().ToString("N") + Unfinished)).FullName;
    }

    /// <summary>Makes what was begun a backup. Answers its name.</summary>
    public string Complete(string begun, BackupManifest manifest)
    {
        File.WriteAllText(Manifest(begun), JsonSerializer.Serialize(manifest, BackupJson.Default.BackupManifest));
        var name = manifest.CreatedAt.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        Directory.Move(begun, Of(name));
        return name;
    }

    /// <exception cref="ConfigurationException">There is none, or it is of a format that this release does not know.</exception>
    public BackupManifest Read(string name)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize(File.ReadAllText(Manifest(Of(name))), BackupJson.Default.BackupManifest)!;
            return manifest.Format <= BackupManifest.CurrentFormat
                ? manifest
                : throw new ConfigurationException($"{Of(name)} was made by release {manifest.Release} in format {manifest.Format}; this release reads format {BackupManifest.CurrentFormat}.");
        }
        catch (Exception fault) when (fault is IOException or JsonException)
        {
            throw new ConfigurationException($"{Of(name)} is no backup: {fault.Message}", fault);
        }
    }

    public IEnumerable<SavedObject> Objects(string name) =>
        File.ReadLines(ObjectsFile(Of(name))).Select(line => JsonSerializer.Deserialize(line, BackupJson.Default.SavedObject)!);

    /// <summary>Keeps the newest backups, and the contents that they have. Answers how many backups went.</summary>
    public int Prune(int keep)
    {
        string[] old = [.. Names.SkipLast(keep)];
        foreach (var name in old) Directory.Delete(Of(name), recursive: true);
        var used = Names.SelectMany(Objects).Select(saved => saved.Sha256).ToHashSet(StringComparer.Ordinal);
        var contents = System.IO.Path.Combine(Path, "objects");
        if (!Directory.Exists(contents)) return old.Length;
        foreach (var file in Directory.EnumerateFiles(contents, "*", SearchOption.AllDirectories))
            if (!used.Contains(System.IO.Path.GetFileName(file))) File.Delete(file);
        return old.Length;
    }

    private static string Manifest(string folder) => System.IO.Path.Combine(folder, "backup.json");

    private static bool IsName(string name) => DateTime.TryParseExact(name, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);
}
