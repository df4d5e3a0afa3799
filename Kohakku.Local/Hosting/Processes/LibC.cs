using System.Runtime.InteropServices;

namespace Kohakku.Local.Hosting.Processes;

internal static partial class LibC
{
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;
    public const int SigTerm = 15;

    /// <summary>As programs of util-linux want it.</summary>
    public static string NameOf(int signal) => signal switch
    {
        SigInt => "INT",
        SigQuit => "QUIT",
        SigKill => "KILL",
        SigTerm => "TERM",
        _ => throw new ArgumentOutOfRangeException(nameof(signal), signal, null),
    };

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);
}
