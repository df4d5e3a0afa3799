using System.Collections.Concurrent;
using System.Diagnostics;

namespace Kohakku.Local.Hosting.Processes;

/// <summary>
/// Starts processes, all on one thread that lives as long as the host: the kernel sends a child its parent-death signal when
/// the thread that started it ends, and threads of the pool come and go. May be called from any thread.
/// </summary>
internal sealed class Spawner : IDisposable
{
    private static readonly string? SetSession = Programs.Find("setsid");
    private static readonly string? SetPrivileges = Programs.Find("setpriv");

    private readonly BlockingCollection<Action> work = [];
    private readonly Thread thread;

    public Spawner()
    {
        thread = new Thread(() =>
        {
            foreach (var item in work.GetConsumingEnumerable()) item();
        })
        { IsBackground = true, Name = "spawner" };
        thread.Start();
    }

    /// <exception cref="System.ComponentModel.Win32Exception">It can't be started.</exception>
    public Task<Process> StartAsync(Launch launch)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        var start = StartInfo(launch);
        work.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(start) ?? throw new InvalidOperationException($"{launch.Program} did not start."));
            }
            catch (Exception fault)
            {
                started.SetException(fault);
            }
        });
        return started.Task;
    }

    public void Dispose()
    {
        work.CompleteAdding();
        thread.Join();
        work.Dispose();
    }

    /// <summary>
    /// A session of its own, so that Ctrl-C reaches the host alone, which then stops its children in order; a signal when
    /// the host dies; another user where one is named. Each step replaces the one before: the process id stays.
    /// </summary>
    private static ProcessStartInfo StartInfo(Launch launch)
    {
        List<string> command = SetSession is null ? [] : [SetSession, "--"];
        if (SetPrivileges is not null)
        {
            command.Add(SetPrivileges);
            if (launch.RunAs is { } user) command.AddRange([$"--reuid={user}", $"--regid={user}", "--init-groups"]);
            command.AddRange([$"--pdeathsig={LibC.NameOf(launch.StopSignal)}", "--"]);
        }
        else if (launch.RunAs is { } user)
        {
            throw new InvalidOperationException($"setpriv (of util-linux) is not installed: {launch.Program} can't be run as {user}.");
        }
        command.AddRange([launch.Program, .. launch.Arguments]);
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = launch.WorkingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in launch.Environment) start.Environment[name] = value;
        return start;
    }
}
