using System.Runtime.InteropServices;
using Kohakku.Agent.Processes;

namespace Kohakku.Agent.Workspace;

internal enum FileKind { Regular, Folder, SymbolicLink, Special }

/// <summary>What a path itself is, links not followed; .NET does not tell a pipe from a file.</summary>
/// <param name="Size">In bytes, as read.</param>
/// <param name="Allocated">In bytes on the disk: a file with holes takes less than its size.</param>
internal readonly record struct FileStatus(FileKind Kind, long Size, long Allocated)
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const uint BasicFields = 0x7ff; // STATX_BASIC_STATS

    /// <returns>Null where there is nothing, or nothing that may be looked at.</returns>
    public static unsafe FileStatus? Of(string path)
    {
        // struct statx is the same on every architecture: stx_mode at 28, stx_size at 40, stx_blocks (of 512 bytes) at 48.
        var status = stackalloc byte[256];
        if (LibC.Status(CurrentFolder, path, NoFollow, BasicFields, status) != 0) return null;
        var kind = (*(ushort*)(status + 28) & 0xF000) switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Folder,
            0xA000 => FileKind.SymbolicLink,
            _ => FileKind.Special,
        };
        return new FileStatus(kind, *(long*)(status + 40), *(long*)(status + 48) * 512);
    }
}
