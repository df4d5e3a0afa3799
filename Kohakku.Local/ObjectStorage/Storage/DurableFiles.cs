using System.Runtime.InteropServices;

namespace Kohakku.Local.ObjectStorage.Storage;

/// <summary>What makes a change of a folder survive a power cut: .NET can flush files, but not folders.</summary>
internal static partial class DurableFiles
{
    private const int ReadOnly = 0;

    /// <summary>Waits until the entries of the folder are on the disk.</summary>
    public static void FlushFolder(string path)
    {
        var descriptor = Open(path, ReadOnly);
        if (descriptor < 0) return; // Removed meanwhile: nothing to keep.
        try
        {
            if (Flush(descriptor) != 0) throw new IOException($"The folder {path} can't be flushed (error {Marshal.GetLastPInvokeError()}).");
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>Makes a folder and those above it that are missing, down to <paramref name="root"/>, which is there.</summary>
    public static void CreateFolder(string path, string root)
    {
        if (path.Length <= root.Length || Directory.Exists(path)) return;
        var parent = Path.GetDirectoryName(path)!;
        CreateFolder(parent, root);
        Directory.CreateDirectory(path);
        FlushFolder(parent);
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
