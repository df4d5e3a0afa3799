using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Kohakku.Agent.Workspace;

namespace Kohakku.Agent.Processes;

/// <summary>
/// The step between root and another user, which posix_spawn does not know: the runner starts itself with this verb and a bare
/// environment (nothing that the agent chose may act while it is root), which reads the command from descriptor 3, drops to the
/// user and becomes the agent. If it can't, it writes the error's number to descriptor 4, which else closes unwritten.
/// </summary>
internal static unsafe class Trampoline
{
    public const string Verb = "become-agent";
    private const int PlanDescriptor = 3;
    private const int ErrorDescriptor = 4;

    /// <returns>0, or why the system refused.</returns>
    public static int Start(AgentCommand command, RunAs user, int stdout, int stderr, out int pid)
    {
        var plan = Spawner.Pipe();
        var error = Spawner.Pipe();
        try
        {
            var self = new AgentCommand(SelfPath, [.. SelfArguments, Verb], ["PATH=" + CommandLookup.DefaultPath], command.Folder);
            var refused = Spawner.Start(self, [stdout, stderr, plan.Read, error.Write], out pid);
            Close(ref plan.Read);
            Close(ref error.Write);
            if (refused != 0) return refused;
            Write(plan.Write, Encode(command, user));
            Close(ref plan.Write);
            var answer = ReadToEnd(error.Read);
            return answer.Length >= sizeof(int) ? BitConverter.ToInt32(answer) : 0;
        }
        finally
        {
            Close(ref plan.Read);
            Close(ref plan.Write);
            Close(ref error.Read);
            Close(ref error.Write);
        }
    }

    /// <summary>The other side: does not return when all goes well.</summary>
    public static int Run()
    {
        _ = LibC.Control(ErrorDescriptor, 2, 1); // F_SETFD, FD_CLOEXEC
        var fields = Encoding.UTF8.GetString(ReadToEnd(PlanDescriptor)).Split('\0');
        _ = LibC.Close(PlanDescriptor);
        if (fields.Length < 3 || !RunAs.TryParse(fields[0], out var user)) return 64;
        var count = int.Parse(fields[2], System.Globalization.CultureInfo.InvariantCulture);
        using var program = new Utf8Strings([fields[1]]);
        using var arguments = new Utf8Strings(fields[3..(3 + count)]);
        using var environment = new Utf8Strings(fields[(3 + count)..^1]);
        var error = Drop(user!);
        if (error == 0)
        {
            RestoreSignals();
            _ = LibC.Execute(program.Pointers[0], arguments.Pointers, environment.Pointers);
            error = Marshal.GetLastPInvokeError();
        }
        Write(ErrorDescriptor, BitConverter.GetBytes(error));
        return 126;
    }

    private static int Drop(RunAs user)
    {
        var dropped = LibC.SetGroups(0, null) == 0 && LibC.SetGroup(user.Group) == 0 && LibC.SetUser(user.User) == 0
            && LibC.ProcessControl(LibC.SetNoNewPrivileges, 1, 0, 0, 0) == 0;
        return dropped ? 0 : Marshal.GetLastPInvokeError();
    }

    private static void RestoreSignals()
    {
        for (var signal = 1; signal <= Signals.Last; signal++) _ = LibC.SetSignalHandler(signal, 0);
        var none = stackalloc byte[128];
        new Span<byte>(none, 128).Clear();
        _ = LibC.SetSignalMask(2, none, null); // SIG_SETMASK
    }

    // uid:gid ␀ program ␀ number of arguments ␀ argument ␀ … variable ␀ …
    private static byte[] Encode(AgentCommand command, RunAs user)
    {
        var text = new StringBuilder().Append(user).Append('\0').Append(command.Program).Append('\0').Append(command.Arguments.Count).Append('\0');
        foreach (var argument in command.Arguments) text.Append(argument).Append('\0');
        foreach (var variable in command.Environment) text.Append(variable).Append('\0');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string SelfPath => Environment.ProcessPath ?? "/proc/self/exe";

    // Under the .NET runtime the program is dotnet, and the runner its first argument.
    private static string[] SelfArguments => RuntimeFeature.IsDynamicCodeSupported
        ? [SelfPath, Path.Combine(AppContext.BaseDirectory, "kohakku-agent.dll")]
        : [SelfPath];

    private static byte[] ReadToEnd(int descriptor)
    {
        using var all = new MemoryStream();
        var buffer = stackalloc byte[4096];
        while (true)
        {
            var count = LibC.Read(descriptor, buffer, 4096);
            if (count > 0) all.Write(new ReadOnlySpan<byte>(buffer, (int)count));
            else if (count == 0 || Marshal.GetLastPInvokeError() != LibC.Interrupted) return all.ToArray();
        }
    }

    private static void Write(int descriptor, byte[] bytes)
    {
        fixed (byte* start = bytes)
        {
            for (nint written = 0; written < bytes.Length;)
            {
                var count = LibC.Write(descriptor, start + written, bytes.Length - written);
                if (count > 0) written += count;
                else if (Marshal.GetLastPInvokeError() != LibC.Interrupted) return;
            }
        }
    }

    private static void Close(ref int descriptor)
    {
        if (descriptor >= 0) _ = LibC.Close(descriptor);
        descriptor = -1;
    }
}
