using System.IO.Compression;
using System.Text;

namespace Kohakku.Tests.Controller.Skills;

/// <summary>Makes packages, good and hostile.</summary>
internal static class Packages
{
    public static string Manifest(string name, string description = "Does something.") => $"---\nname: {name}\ndescription: {description}\n---\n# {name}\n";

    public static byte[] Of(params (string Path, string Content)[] files) =>
        Make(zip =>
        {
            foreach (var (path, content) in files) Add(zip, path, Encoding.UTF8.GetBytes(content));
        });

    public static byte[] Make(Action<ZipArchive> fill)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true)) fill(zip);
        return bytes.ToArray();
    }

    public static ZipArchiveEntry Add(ZipArchive zip, string path, byte[] content)
    {
        var entry = zip.CreateEntry(path);
        entry.LastWriteTime = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var stream = entry.Open();
        stream.Write(content);
        return entry;
    }
}
