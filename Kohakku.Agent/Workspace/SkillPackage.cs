using System.IO.Compression;
using Kohakku.Agent.Attempt;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Workspace;

/// <summary>
/// Unpacks a skill's zip. Nothing in it may reach outside its folder, neither by <c>..</c> nor by an absolute path nor through a
/// link, and it may not grow beyond <see cref="LargestContent"/>.
/// </summary>
internal static class SkillPackage
{
    public const long LargestContent = 1024L * 1024 * 1024;
    public const int MostEntries = 50_000;
    private const int FileTypeMask = 0xF000;
    private const int SymbolicLink = 0xA000;
    private const UnixFileMode Permissions = (UnixFileMode)0x1FF;

    /// <exception cref="AgentFault">The package is broken or reaches outside.</exception>
    /// <exception cref="IOException">The workspace can't take it.</exception>
    public static void Unpack(Stream package, string name, string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            using var zip = new ZipArchive(package, ZipArchiveMode.Read, leaveOpen: true);
            if (zip.Entries.Count > MostEntries) throw Broken(name, $"it has more than {MostEntries} entries");
            var left = LargestContent;
            foreach (var entry in zip.Entries) left -= UnpackEntry(entry, name, folder, left);
        }
        catch (InvalidDataException fault)
        {
            throw Broken(name, fault.Message);
        }
    }

    private static long UnpackEntry(ZipArchiveEntry entry, string name, string folder, long left)
    {
        var path = Resolve(entry.FullName, folder) ?? throw Broken(name, $"its entry '{entry.FullName}' would leave the skill's folder");
        if (entry.FullName.EndsWith('/'))
        {
            Directory.CreateDirectory(path);
            return 0;
        }
        var mode = entry.ExternalAttributes >> 16;
        if ((mode & FileTypeMask) == SymbolicLink) throw Broken(name, $"its entry '{entry.FullName}' is a symbolic link");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var written = Copy(entry, path, left) ?? throw Broken(name, $"it unpacks to more than {LargestContent / 1024 / 1024} MiB");
        // At least readable by its owner, whatever the packing machine recorded.
        if (((UnixFileMode)mode & Permissions) is var permissions and not 0) File.SetUnixFileMode(path, permissions | UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return written;
    }

    /// <returns>Null when the entry would leave the folder.</returns>
    internal static string? Resolve(string entry, string folder)
    {
        if (entry.Length == 0 || entry.Contains('\0') || entry.StartsWith('/')) return null;
        if (entry.Split('/', '\\').Contains("..")) return null;
        var path = Path.GetFullPath(Path.Combine(folder, entry));
        return path.StartsWith(folder + '/', StringComparison.Ordinal) ? path : null;
    }

    /// <returns>Null when there is more than is left; the sizes in the zip itself are only what it says.</returns>
    private static long? Copy(ZipArchiveEntry entry, string path, long left)
    {
        using var content = entry.Open();
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        var buffer = new byte[64 * 1024];
        long written = 0;
        while (content.Read(buffer) is var count and > 0)
        {
            written += count;
            if (written > left) return null;
            file.Write(buffer, 0, count);
        }
        return written;
    }

    private static AgentFault Broken(string name, string why) => new($"The package of skill '{name}' can't be used: {why}.", FailureReason.AgentError);
}
