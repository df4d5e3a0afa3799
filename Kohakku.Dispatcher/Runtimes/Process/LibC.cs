using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>
/// What .NET has no call for: starting a child in its own session with its output in a file, and handles on processes that
/// can't be mistaken for a later process of the same number. Linux 5.3 and glibc 2.29 or musl 1.2 at least.
/// </summary>
internal static partial class LibC
{
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int NoSuchProcess = 3; // ESRCH
    public const int NoChild = 10; // ECHILD

    // The same on every architecture: both are younger than the common table.
    private const long PidFdSendSignal = 424;
    private const long PidFdOpen = 434;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long OpenPidFd(long number, long pid, long flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SendSignal(long number, SafeFileHandle pidFd, long signal, long info, long flags);

    [LibraryImport("libc", EntryPoint = "waitid", SetLastError = true)]
    public static unsafe partial int WaitId(int idType, uint id, byte* info, int options);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static unsafe partial int EpollControl(SafeFileHandle epoll, int operation, int descriptor, byte* @event);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static unsafe partial int EpollWait(SafeFileHandle epoll, byte* events, int maximum, int timeout);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    public static unsafe partial int Open(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static unsafe partial nint Read(int descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static unsafe partial nint Write(SafeFileHandle descriptor, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "posix_spawn")]
    public static unsafe partial int Spawn(out int pid, byte* path, byte* fileActions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    public static unsafe partial int FileActionsInit(byte* fileActions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    public static unsafe partial int FileActionsDestroy(byte* fileActions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int FileActionsAddOpen(byte* fileActions, int descriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static unsafe partial int FileActionsAddDup(byte* fileActions, int from, int to);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int FileActionsAddChangeDirectory(byte* fileActions, string path);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    public static unsafe partial int AttributesInit(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    public static unsafe partial int AttributesDestroy(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    public static unsafe partial int AttributesSetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    public static unsafe partial int AttributesSetDefaultSignals(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    public static unsafe partial int AttributesSetSignalMask(byte* attributes, byte* signals);

    /// <returns>Null when there is no such process.</returns>
    /// <exception cref="IOException">No handle could be had for another reason.</exception>
    public static SafeFileHandle? OpenProcess(int pid)
    {
        var descriptor = OpenPidFd(PidFdOpen, pid, 0);
        if (descriptor >= 0) return new SafeFileHandle((nint)descriptor, ownsHandle: true);
        var error = Marshal.GetLastPInvokeError();
        return error == NoSuchProcess ? null : throw Failure("pidfd_open", error);
    }

    /// <summary>Does nothing when the process has ended.</summary>
    public static void Signal(SafeFileHandle process, int signal)
    {
        if (SendSignal(PidFdSendSignal, process, signal, 0, 0) == 0) return;
        var error = Marshal.GetLastPInvokeError();
        if (error != NoSuchProcess) throw Failure("pidfd_send_signal", error);
    }

    public static IOException Failure(string call, int error) => new($"{call}: {Marshal.GetPInvokeErrorMessage(error)}", error);
}
