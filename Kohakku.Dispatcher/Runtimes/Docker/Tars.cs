using System.Formats.Tar;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>The archives that are uploaded to the engine.</summary>
internal static class Tars
{
    private const UnixFileMode All = (UnixFileMode)0b111_111_111;
    private const UnixFileMode ReadAndRun = (UnixFileMode)0b101_101_101;

    /// <summary>Two empty blocks: an image with nothing in it.</summary>
    public static Stream Empty() => new MemoryStream(new byte[1024]);

    /// <summary>The workspace, open to whatever user the image runs as.</summary>
    public static Stream Workspace()
    {
        var stream = new MemoryStream();
        using (var tar = new TarWriter(stream, leaveOpen: true))
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.Directory, AgentContainer.Workspace.TrimStart('/')) { Mode = All | UnixFileMode.StickyBit });
        }
        stream.Position = 0;
        return stream;
    }

    /// <summary>The runner, and after it a mark by which an upload that was cut off is told from a whole one.</summary>
    public static Stream Runner(byte[] program, string name, string mark)
    {
        var stream = new MemoryStream(program.Length + 4096);
        using (var tar = new TarWriter(stream, leaveOpen: true))
        {
            using var content = new MemoryStream(program, writable: false);
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { Mode = ReadAndRun, DataStream = content });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, mark) { Mode = UnixFileMode.UserRead });
        }
        stream.Position = 0;
        return stream;
    }
}
