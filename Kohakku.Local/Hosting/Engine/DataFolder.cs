using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>
/// Everything local: <c>keys/</c>, <c>logs/</c>, <c>run/</c> (which processes run, at which ports), a folder per resource that
/// keeps data, <c>endpoints.json</c> for programs, and <c>lock</c>, held by the one AppHost that runs on it.
/// </summary>
internal sealed class DataFolder
{
    public const string Variable = "KOHAKKU_DATA";
    public const string ApiTokenFile = "api-token";
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnly = OwnerOnlyFile | UnixFileMode.UserExecute;
    private const UnixFileMode Passable = OwnerOnly | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute
        | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };
    private readonly Lock keys = new();

    public DataFolder(string fullPath) => FullPath = fullPath;

    public string FullPath { get; }
    public string Logs => Path.Combine(FullPath, "logs");
    private string Run => Path.Combine(FullPath, "run");
    private string Keys => Path.Combine(FullPath, "keys");
    private string EndpointsFile => Path.Combine(FullPath, "endpoints.json");
    private string PortsFile => Path.Combine(Run, "ports.json");

    /// <summary>
    /// Where that lies which other users must reach, when this folder is closed to them: the same place each time for the same
    /// folder, and another for another.
    /// </summary>
    public string Elsewhere => Path.Combine(
        "/var/lib/kohakku", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(FullPath)))[..12]);

    /// <summary>Whether every user may pass through to this folder.</summary>
    public bool IsPassable
    {
        get
        {
            for (var folder = new DirectoryInfo(FullPath); folder is not null; folder = folder.Parent)
            {
                if (folder.Exists && (folder.UnixFileMode & UnixFileMode.OtherExecute) == 0) return false;
            }
            return true;
        }
    }

    public string Of(string resource) => Path.Combine(FullPath, resource);
    public string PidFileOf(string resource) => Path.Combine(Run, $"{resource}.pid");

    public void Create()
    {
        // Other users may pass through: PostgreSQL's, and those that agents run as. What is secret is closed one by one.
        Directory.CreateDirectory(FullPath, Passable);
        Directory.CreateDirectory(Logs, OwnerOnly);
        Directory.CreateDirectory(Run, OwnerOnly);
        Directory.CreateDirectory(Keys, OwnerOnly);
    }

    /// <summary>The secret of that name: kept from the first time on, readable for its owner only.</summary>
    public string Key(string name, Func<string> generate)
    {
        lock (keys)
        {
            Create();
            var path = Path.Combine(Keys, name);
            if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } kept) return kept;
            var value = generate();
            WriteAtomically(path, value + "\n", OwnerOnlyFile);
            return value;
        }
    }

    public void WritePorts(IReadOnlyDictionary<string, int> ports) => WriteAtomically(PortsFile, JsonSerializer.Serialize(ports, Indented), OwnerOnlyFile);

    /// <summary>The ports that the running installation took, by <c>resource/endpoint</c>.</summary>
    public IReadOnlyDictionary<string, int> ReadPorts() =>
        File.Exists(PortsFile) ? JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(PortsFile)) ?? [] : new Dictionary<string, int>();

    /// <summary>Tells programs where everything is; its being there says that all is healthy.</summary>
    public void WriteEndpoints(IReadOnlyDictionary<string, string> endpoints) =>
        WriteAtomically(EndpointsFile, JsonSerializer.Serialize(endpoints, Indented), OwnerOnlyFile | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

    public void DeleteEndpoints() => File.Delete(EndpointsFile);

    /// <summary>Takes the folder for this process until it is given back.</summary>
    /// <returns>Null when another process has it; <paramref name="holder"/> then says which.</returns>
    public FolderLock? TryLock(out string holder)
    {
        Create();
        return FolderLock.TryTake(Path.Combine(FullPath, "lock"), Path.Combine(Run, "holder"), out holder);
    }

    public void DeletePorts() => File.Delete(PortsFile);

    private static void WriteAtomically(string path, string content, UnixFileMode mode)
    {
        var fresh = path + ".new";
        File.Delete(fresh);
        using (var file = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode }))
        {
            file.Write(Encoding.UTF8.GetBytes(content));
            file.Flush(flushToDisk: true);
        }
        File.Move(fresh, path, overwrite: true);
    }
}
