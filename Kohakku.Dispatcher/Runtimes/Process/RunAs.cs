using System.Runtime.InteropServices;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>The unprivileged user that agents run as when the dispatcher is root.</summary>
internal sealed record RunAs(uint User, uint Group)
{
    /// <summary>Debian's nobody:nogroup, which owns nothing on any system.</summary>
    public static RunAs Nobody { get; } = new(65534, 65534);

    /// <summary>As the runner takes it.</summary>
    public override string ToString() => $"{User}:{Group}";

    /// <exception cref="IOException">The owner could not be set.</exception>
    public void Own(string path)
    {
        if (LibC.ChangeOwner(path, User, Group) != 0) throw LibC.Failure($"chown {path}", Marshal.GetLastPInvokeError());
    }

    /// <summary>The first folder on the way to <paramref name="path"/> that this user may not pass through, or null.</summary>
    public static string? Barrier(string path)
    {
        for (var folder = new DirectoryInfo(path); folder is not null; folder = folder.Parent)
        {
            if ((folder.UnixFileMode & UnixFileMode.OtherExecute) == 0) return folder.FullName;
        }
        return null;
    }
}
