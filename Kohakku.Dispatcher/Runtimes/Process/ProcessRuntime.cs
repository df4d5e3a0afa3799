using System.Collections.Concurrent;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>
/// Agents as processes of this host: no isolation and no limits, for development. Each attempt's runner is a child in its own
/// session that outlives this process; the next one finds it by its folder (<see cref="AttemptFolder"/>).
/// </summary>
internal sealed partial class ProcessRuntime : IAgentRuntime, IAsyncDisposable
{
    private static readonly TimeSpan KillTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OwnerlessAge = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Guid, RunnerProcess> runners = new();
    private readonly ProcessExits exits = new();
    private readonly LeftoverSweep leftovers;
    private readonly RuntimeOptions options;
    private readonly IDispatcherIdentity identity;
    private readonly TimeProvider time;
    private readonly ILogger<ProcessRuntime> logger;
    private readonly RunAs? runAs = LibC.EffectiveUser() == 0 ? RunAs.Nobody : null;
    private IReadOnlyList<string> command = [];
    private int disposed;

    public ProcessRuntime(RuntimeOptions options, IDispatcherIdentity identity, TimeProvider time, ILogger<ProcessRuntime> logger)
    {
        (this.options, this.identity, this.time, this.logger) = (options, identity, time, logger);
        leftovers = new LeftoverSweep(exits, time, logger);
    }

    public string Name => "process";

    public Task InitializeAsync(CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux()) throw new RuntimeUnavailableException("RUNTIME_BACKEND=process runs on Linux only.");
        command = options.Runner.HostCommand();
        if (!options.Runner.HasNative) LogManagedRunner(options.Runner.NativePath);
        try
        {
            Directory.CreateDirectory(options.WorkspaceRoot);
            var probe = Path.Combine(options.WorkspaceRoot, $".probe-{Guid.NewGuid():N}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new RuntimeUnavailableException($"WORKSPACE_ROOT {options.WorkspaceRoot} can't be written to: {fault.Message}", fault);
        }
        if (runAs is not null && RunAs.Barrier(options.WorkspaceRoot) is { } barrier)
        {
            throw new RuntimeUnavailableException(
                $"WORKSPACE_ROOT {options.WorkspaceRoot} lies below {barrier}, which agents (user {runAs.User}) may not enter: "
                + "set WORKSPACE_ROOT to a folder they can reach, such as /var/lib/kohakku/workspaces.");
        }
        return Task.CompletedTask;
    }

    /// <summary>Nothing to make present: images mean nothing here.</summary>
    public Task PrepareAsync(AgentLaunch launch, IProgress<int> progress, CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task<string> StartAsync(AgentLaunch launch, CancellationToken cancellationToken)
    {
        if (runners.TryGetValue(launch.AttemptId, out var running)) return running.Identity.ToString();
        var folder = Folder(launch.AttemptId);
        if (folder.Exists)
        {
            if (folder.ReadOwner().Runner is { } earlier) return earlier.ToString();
            // An earlier start was cut short, before it could note whether there is a process: there must not be two.
            await RemoveAsync(launch.AttemptId, cancellationToken);
        }
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return Start(launch, folder).Identity.ToString();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            await RemoveAsync(launch.AttemptId, CancellationToken.None);
            throw new LaunchException(FailureReason.StartFailed, $"The runner could not be started: {fault.Message}", transient: true, fault);
        }
    }

    public async Task<RuntimeExit> WaitAsync(Guid attemptId, string runtimeId, CancellationToken cancellationToken)
    {
        var folder = Folder(attemptId);
        var exitCode = Find(attemptId, runtimeId) is { } runner
            ? await runner.ExitCode.WaitAsync(cancellationToken)
            : folder.ReadExitCode();
        return new RuntimeExit(exitCode, OutOfMemory: false, exitCode == 0 ? "" : folder.ReadLogTail());
    }

    public async Task StopAsync(Guid attemptId, string runtimeId, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (Find(attemptId, runtimeId) is { } runner)
        {
            runner.Signal(LibC.SigTerm);
            try
            {
                await runner.ExitCode.WaitAsync(grace, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                LogKilling(attemptId, grace);
            }
        }
        await KillAsync(attemptId, cancellationToken);
    }

    public async Task RemoveAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        var folder = Folder(attemptId);
        if (runners.TryGetValue(attemptId, out var runner) && runner.EndedInOrder) leftovers.Add(attemptId);
        else await KillAsync(attemptId, cancellationToken);
        try
        {
            folder.Delete();
        }
        catch (IOException)
        {
            // Something writes there still, though the runner has ended.
            await KillAsync(attemptId, cancellationToken);
            folder.Delete();
        }
        if (runners.TryRemove(attemptId, out runner)) runner.Dispose();
    }

    public Task<IReadOnlyList<FoundAgent>> ListAsync(CancellationToken cancellationToken)
    {
        var found = AttemptFolder.List(options.WorkspaceRoot, identity.InstanceId, time.GetUtcNow() - OwnerlessAge)
            .Select(attempt => new FoundAgent(attempt.AttemptId, attempt.Runner?.ToString()))
            .ToList();
        // Left by an agent whose folder is gone: no other instance's, whose folder would be there.
        found.AddRange(AttemptProcesses.FindIn(options.WorkspaceRoot)
            .Where(attemptId => !Folder(attemptId).Exists)
            .Select(attemptId => new FoundAgent(attemptId, null)));
        return Task.FromResult<IReadOnlyList<FoundAgent>>(found);
    }

    public async ValueTask DisposeAsync()
    {
        // A service container disposes once for each service that it was registered as.
        if (Interlocked.Exchange(ref disposed, 1) == 1) return;
        await leftovers.DisposeAsync();
        exits.Dispose();
        foreach (var runner in runners.Values) runner.Dispose();
    }

    private RunnerProcess Start(AgentLaunch launch, AttemptFolder folder)
    {
        folder.Create(identity.InstanceId, runAs);
        var pid = ChildProcess.Start(command, EnvironmentOf(launch, folder), folder.FullPath, folder.LogFile);
        var runner = RunnerProcess.OfChild(pid, exits);
        runners[launch.AttemptId] = runner;
        folder.WriteStarted(runner.Identity);
        return runner;
    }

    private Dictionary<string, string> EnvironmentOf(AgentLaunch launch, AttemptFolder folder)
    {
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin",
            ["LANG"] = Environment.GetEnvironmentVariable("LANG") ?? "C.UTF-8",
            ["HOME"] = folder.Workspace,
            [AgentEnvironment.Url] = launch.DispatcherUrl.ToString().TrimEnd('/'),
            [AgentEnvironment.Token] = launch.Token,
            [AgentEnvironment.TaskId] = launch.TaskId.ToString(),
            [AgentEnvironment.AttemptId] = launch.AttemptId.ToString(),
            [AgentEnvironment.Workspace] = folder.Workspace,
            ["KOHAKKU_EXIT_FILE"] = folder.ExitFile,
        };
        if (runAs is not null) environment["KOHAKKU_RUN_AS"] = runAs.ToString();
        if (launch.TraceParent is not null) environment[AgentEnvironment.TraceParent] = launch.TraceParent;
        return environment;
    }

    /// <summary>Also what an earlier process of this dispatcher started; null when it has ended.</summary>
    private RunnerProcess? Find(Guid attemptId, string runtimeId)
    {
        if (runners.TryGetValue(attemptId, out var runner)) return runner;
        if (!ProcessIdentity.TryParse(runtimeId, out var process)) return null;
        if (RunnerProcess.Adopt(process, exits, Folder(attemptId).ReadExitCode) is not { } adopted) return null;
        var kept = runners.GetOrAdd(attemptId, adopted);
        if (kept != adopted) adopted.Dispose();
        return kept;
    }

    private async Task KillAsync(Guid attemptId, CancellationToken cancellationToken)
    {
        var runner = runners.TryGetValue(attemptId, out var known) ? known.Identity : Folder(attemptId).ReadOwner().Runner;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(KillTimeout);
        try
        {
            var killed = await AttemptProcesses.KillAsync(new HashSet<Guid> { attemptId }, runner, exits, limit.Token);
            if (killed > 0) LogKilled(attemptId, killed);
        }
        catch (OperationCanceledException fault) when (!cancellationToken.IsCancellationRequested)
        {
            // Not to be taken for the caller's own cancelling.
            throw new IOException($"A process of attempt {attemptId} did not die within {KillTimeout.TotalSeconds:0} s of its SIGKILL.", fault);
        }
    }

    private AttemptFolder Folder(Guid attemptId) => new(options.WorkspaceRoot, attemptId);

    [LoggerMessage(1, LogLevel.Warning, "No native runner at {Path}: agents start with the slower managed one (gcc or clang, and a new build, make the native one)")]
    private partial void LogManagedRunner(string path);

    [LoggerMessage(2, LogLevel.Information, "Attempt {AttemptId} did not stop within {Grace}: killing it")]
    private partial void LogKilling(Guid attemptId, TimeSpan grace);

    [LoggerMessage(3, LogLevel.Debug, "Killed {Count} processes of attempt {AttemptId}")]
    private partial void LogKilled(Guid attemptId, int count);
}
