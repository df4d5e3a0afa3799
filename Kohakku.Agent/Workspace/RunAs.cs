using System.Globalization;
using System.Runtime.InteropServices;
using Kohakku.Agent.Processes;

namespace Kohakku.Agent.Workspace;

/// <summary>The user that the agent runs as and that owns its workspace.</summary>
internal sealed record RunAs(uint User, uint Group)
{
    /// <param name="text">As in <c>1000:1000</c>.</param>
    public static bool TryParse(string text, out RunAs? runAs)
    {
        var parts = text.Split(':');
        uint group = 0;
        var isUser = uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var user);
        var isPair = isUser && parts.Length == 2 && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out group);
        runAs = isPair ? new RunAs(user, group) : null;
        return isPair;
    }

    /// <summary>Gives a file or folder to this user; of a symbolic link the link itself.</summary>
    public void Own(string path)
    {
        if (LibC.ChangeOwner(path, User, Group) != 0) throw LibC.Failure($"chown {path}", Marshal.GetLastPInvokeError());
    }

    public void OwnTree(string folder)
    {
        Own(folder);
        foreach (var path in Directory.EnumerateFileSystemEntries(folder))
        {
            if (new DirectoryInfo(path) is { Exists: true, LinkTarget: null }) OwnTree(path);
            else Own(path);
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{User}:{Group}");
}
