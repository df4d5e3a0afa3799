using System.Runtime.InteropServices;
using System.Text;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>Starts a child that outlives this process: its own session, its output in a file, nothing inherited.</summary>
internal static unsafe class ChildProcess
{
    // Larger than posix_spawn_file_actions_t, posix_spawnattr_t and sigset_t of glibc (80, 336, 128) and musl.
    private const int OpaqueSize = 512;
    private const short SetDefaultSignals = 0x04;
    private const short SetSignalMask = 0x08;
    private const short SetSession = 0x80;
    private const int ReadOnly = 0x0;
    private const int AppendToNew = 0x1 | 0x40 | 0x400; // O_WRONLY | O_CREAT | O_APPEND
    private const uint OwnerOnly = 0x180; // 0600
    private const int PidFdId = 3; // P_PIDFD
    private const int Ended = 4; // WEXITED
    private const int CodeExited = 1; // CLD_EXITED

    /// <returns>Its process id; the caller has to collect its exit by <see cref="Collect"/>.</returns>
    /// <exception cref="IOException">It could not be started.</exception>
    public static int Start(IReadOnlyList<string> command, IEnumerable<KeyValuePair<string, string>> environment, string directory, string logFile)
    {
        var actions = stackalloc byte[OpaqueSize];
        var attributes = stackalloc byte[OpaqueSize];
        Check("posix_spawn_file_actions_init", LibC.FileActionsInit(actions));
        Check("posix_spawnattr_init", LibC.AttributesInit(attributes));
        using var arguments = new Utf8Strings(command);
        using var variables = new Utf8Strings(environment.Select(pair => $"{pair.Key}={pair.Value}"));
        try
        {
            Check("open", LibC.FileActionsAddOpen(actions, 0, "/dev/null", ReadOnly, 0));
            Check("open", LibC.FileActionsAddOpen(actions, 1, logFile, AppendToNew, OwnerOnly));
            Check("dup2", LibC.FileActionsAddDup(actions, 1, 2));
            Check("chdir", LibC.FileActionsAddChangeDirectory(actions, directory));
            DetachSignals(attributes);
            Check("posix_spawn", LibC.Spawn(out var pid, arguments.First, actions, attributes, arguments.Pointers, variables.Pointers));
            return pid;
        }
        finally
        {
            _ = LibC.FileActionsDestroy(actions);
            _ = LibC.AttributesDestroy(attributes);
        }
    }

    /// <summary>Collects the exit of a child that has ended, and so removes the last the system knows of it.</summary>
    /// <returns>Its exit code, 128 + number for a signal; null when it was not our child or is already collected.</returns>
    public static int? Collect(Microsoft.Win32.SafeHandles.SafeFileHandle process)
    {
        var info = stackalloc byte[128]; // siginfo_t: si_code at 8, si_status at 24
        if (LibC.WaitId(PidFdId, (uint)process.DangerousGetHandle(), info, Ended) == 0)
        {
            var status = *(int*)(info + 24);
            return *(int*)(info + 8) == CodeExited ? status : 128 + status;
        }
        var error = Marshal.GetLastPInvokeError();
        return error == LibC.NoChild ? null : throw LibC.Failure("waitid", error);
    }

    /// <summary>.NET ignores SIGPIPE and blocks none or some signals; a child must start as from a shell, in a session of its own.</summary>
    private static void DetachSignals(byte* attributes)
    {
        var none = stackalloc byte[OpaqueSize];
        var all = stackalloc byte[OpaqueSize];
        new Span<byte>(none, OpaqueSize).Clear();
        new Span<byte>(all, OpaqueSize).Fill(0xFF);
        Check("posix_spawnattr_setsigmask", LibC.AttributesSetSignalMask(attributes, none));
        Check("posix_spawnattr_setsigdefault", LibC.AttributesSetDefaultSignals(attributes, all));
        Check("posix_spawnattr_setflags", LibC.AttributesSetFlags(attributes, SetSession | SetSignalMask | SetDefaultSignals));
    }

    private static void Check(string call, int error)
    {
        if (error != 0) throw LibC.Failure(call, error);
    }

    /// <summary>A null-terminated array of C strings.</summary>
    private sealed class Utf8Strings : IDisposable
    {
        private readonly byte** pointers;
        private readonly int count;

        public Utf8Strings(IEnumerable<string> strings)
        {
            var encoded = strings.Select(text => Encoding.UTF8.GetBytes(text + '\0')).ToList();
            count = encoded.Count;
            pointers = (byte**)NativeMemory.AllocZeroed((nuint)count + 1, (nuint)sizeof(byte*));
            for (var index = 0; index < count; index++)
            {
                pointers[index] = (byte*)NativeMemory.Alloc((nuint)encoded[index].Length);
                encoded[index].CopyTo(new Span<byte>(pointers[index], encoded[index].Length));
            }
        }

        public byte** Pointers => pointers;

        public byte* First => pointers[0];

        public void Dispose()
        {
            for (var index = 0; index < count; index++) NativeMemory.Free(pointers[index]);
            NativeMemory.Free(pointers);
        }
    }
}
