using System.Runtime.InteropServices;

namespace Kohakku.Agent.Processes;

/// <summary>Starts a child in a session of its own, as from a fresh shell, with chosen files as its descriptors.</summary>
internal static unsafe class Spawner
{
    // Larger than posix_spawn_file_actions_t, posix_spawnattr_t and sigset_t of glibc (80, 336, 128) and musl.
    private const int OpaqueSize = 512;
    private const short SetDefaultSignals = 0x04;
    private const short SetSignalMask = 0x08;
    private const short SetSession = 0x80;

    /// <param name="descriptors">The child's descriptors from 1 on; its 0 is /dev/null, and no others are open.</param>
    /// <returns>0, or why the system refused.</returns>
    public static int Start(AgentCommand command, ReadOnlySpan<int> descriptors, out int pid)
    {
        var actions = stackalloc byte[OpaqueSize];
        var attributes = stackalloc byte[OpaqueSize];
        Check("posix_spawn_file_actions_init", LibC.FileActionsInit(actions));
        Check("posix_spawnattr_init", LibC.AttributesInit(attributes));
        using var program = new Utf8Strings([command.Program]);
        using var arguments = new Utf8Strings(command.Arguments);
        using var environment = new Utf8Strings(command.Environment);
        try
        {
            Check("open", LibC.FileActionsAddOpen(actions, 0, "/dev/null", 0, 0));
            for (var index = 0; index < descriptors.Length; index++) Check("dup2", LibC.FileActionsAddDup(actions, descriptors[index], index + 1));
            Check("chdir", LibC.FileActionsAddChangeDirectory(actions, command.Folder));
            Detach(attributes);
            return LibC.Spawn(out pid, program.Pointers[0], actions, attributes, arguments.Pointers, environment.Pointers);
        }
        finally
        {
            _ = LibC.FileActionsDestroy(actions);
            _ = LibC.AttributesDestroy(attributes);
        }
    }

    /// <summary>A pipe that no child inherits but by <see cref="Start"/>; its ends lie above the descriptors that are given out.</summary>
    public static (int Read, int Write) Pipe()
    {
        var ends = stackalloc int[2];
        if (LibC.Pipe(ends, LibC.CloseOnExec) != 0) throw LibC.Failure("pipe", Marshal.GetLastPInvokeError());
        return (Raise(ends[0]), Raise(ends[1]));
    }

    /// <summary>One descriptor's target must not be another's source: dup2 would close it, or leave it closed on exec.</summary>
    private static int Raise(int descriptor)
    {
        const int duplicateCloseOnExec = 1030; // F_DUPFD_CLOEXEC
        const int first = 10;
        if (descriptor >= first) return descriptor;
        var raised = LibC.Control(descriptor, duplicateCloseOnExec, first);
        if (raised < 0) throw LibC.Failure("fcntl", Marshal.GetLastPInvokeError());
        _ = LibC.Close(descriptor);
        return raised;
    }

    /// <summary>.NET ignores SIGPIPE and blocks some signals; neither is the agent's business.</summary>
    private static void Detach(byte* attributes)
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
}
