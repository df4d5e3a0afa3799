using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Kohakku.Dispatcher.Sockets;

/// <summary>
/// The Unix sockets by which agents reach this dispatcher: it listens on one, <c>agents.sock</c>, and each attempt gets a directory
/// of its own with <c>agent.sock</c>, a hard link to it. The directory is what is mounted into the attempt's container, so
/// that a link made anew (after a restart the listening socket is another file) is seen there at once.
/// All members may be called at once for different attempts.
/// </summary>
internal sealed partial class AttemptSockets
{
    public const string AttemptSocketName = "agent.sock";
    private const int LongestPath = 107; // sockaddr_un holds 108 bytes with the closing zero
    private const int AlreadyThere = 17; // EEXIST

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode ReadWriteForAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
    private const UnixFileMode Passable = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    /// <param name="configured"><c>SOCKET_DIR</c>, or the default below the data folder.</param>
    public AttemptSockets(string configured)
    {
        Configured = Path.GetFullPath(configured);
        Root = Fits(Configured) ? Configured : ShortRoot(Configured);
    }

    /// <summary>What was asked for.</summary>
    public string Configured { get; }

    /// <summary>What is used: another than <see cref="Configured"/> where sockets there would have paths of 108 bytes or more.</summary>
    public string Root { get; }

    /// <summary>The socket that the dispatcher listens on.</summary>
    public string ListeningPath => Path.Combine(Root, "agents.sock");

    /// <summary>Makes the folder, closed to all other users of this host, and removes a socket that an earlier process left.</summary>
    /// <exception cref="IOException">It can't be made, or belongs to another user.</exception>
    public void Prepare()
    {
        Directory.CreateDirectory(Root, OwnerOnly);
        try
        {
            File.SetUnixFileMode(Root, OwnerOnly);
        }
        catch (UnauthorizedAccessException fault)
        {
            throw new IOException($"The socket folder {Root} belongs to another user.", fault);
        }
        File.Delete(ListeningPath);
    }

    /// <summary>Makes the attempt's directory and its link, or renews the link when the listening socket is another one now.</summary>
    /// <returns>The directory.</returns>
    /// <exception cref="IOException">The dispatcher does not listen yet, or the disk is full.</exception>
    public string Link(Guid attemptId)
    {
        var directory = PathOf(attemptId);
        Directory.CreateDirectory(directory, Passable);
        // Any user of any image must be able to connect; the folder above keeps the host's own users out.
        File.SetUnixFileMode(ListeningPath, ReadWriteForAll);
        var link = Path.Combine(directory, AttemptSocketName);
        if (HardLink(ListeningPath, link) == 0) return directory;
        var error = Marshal.GetLastPInvokeError();
        if (error == AlreadyThere)
        {
            // Over the old one in one step: a runner may be connecting. Where both are the same file, rename does nothing.
            var fresh = Path.Combine(directory, $".{Guid.NewGuid():N}");
            error = HardLink(ListeningPath, fresh) == 0 ? 0 : Marshal.GetLastPInvokeError();
            if (error == 0) File.Move(fresh, link, overwrite: true);
            File.Delete(fresh);
        }
        return error == 0
            ? directory
            : throw new IOException($"The socket {link} can't be linked to {ListeningPath}: {Marshal.GetPInvokeErrorMessage(error)}.", error);
    }

    /// <summary>Nothing there is no error.</summary>
    public void Remove(Guid attemptId)
    {
        var directory = PathOf(attemptId);
        if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
    }

    /// <summary>The attempts that have a directory.</summary>
    public IReadOnlyList<Guid> List() => !Directory.Exists(Root)
        ? []
        : [.. Directory.EnumerateDirectories(Root)
            .Select(path => Guid.TryParseExact(Path.GetFileName(path), "N", out var id) ? id : Guid.Empty)
            .Where(id => id != Guid.Empty)];

    private string PathOf(Guid attemptId) => Path.Combine(Root, attemptId.ToString("N"));

    private static bool Fits(string root) =>
        Encoding.UTF8.GetByteCount(Path.Combine(root, Guid.Empty.ToString("N"), AttemptSocketName)) <= LongestPath;

    /// <summary>The same for the same folder, so that a restarted dispatcher finds its sockets again.</summary>
    private static string ShortRoot(string configured)
    {
        var key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(configured)))[..12];
        var runtimeFolder = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
        var parent = Environment.IsPrivilegedProcess ? "/run" : Directory.Exists(runtimeFolder) && Fits($"{runtimeFolder}/kohakku-{key}") ? runtimeFolder : "/tmp";
        return Path.Combine(parent, $"kohakku-{key}");
    }

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int HardLink(string existing, string link);
}
