using System.Runtime.InteropServices;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Kohakku.Local.Hosting.Engine;
using Kohakku.Local.Hosting.Output;

namespace Aspire.Hosting;

/// <summary>
/// The application that Program.cs has built, run on this machine. Arguments: <c>--verbose</c>, and <c>run &lt;resource&gt;
/// &lt;command…&gt;</c> for one command of a project.
/// </summary>
public sealed class DistributedApplication : IAsyncDisposable
{
    private readonly IReadOnlyList<IResource> resources;
    private readonly DataFolder data;
    private readonly string[] arguments;
    private readonly EntryPointCapture? capture;
    private readonly HostConsole console;
    private readonly ServiceFactory services;
    private readonly ResourceGraph graph;
    private Host? host;

    internal DistributedApplication(IReadOnlyList<IResource> resources, DataFolder data, string[] arguments, EntryPointCapture? capture)
    {
        this.resources = resources;
        this.data = data;
        this.arguments = arguments;
        this.capture = capture;
        var verbose = arguments.Contains("--verbose");
        console = capture is null ? HostConsole.ForProcess(verbose) : new HostConsole(capture.Output, isTerminal: false, verbose);
        services = new ServiceFactory(resources, data, capture?.Environment ?? new Dictionary<string, string?>());
        graph = new ResourceGraph(resources);
        capture?.Built(this);
    }

    /// <summary>Ends the patience with what takes its time to stop.</summary>
    internal void Kill() => host?.Kill();

    /// <summary>What runs, for tests that look closer.</summary>
    internal IEnumerable<Supervisor> Supervisors => host?.Supervisors ?? [];

    internal IReadOnlyList<IResource> Resources => resources;
    internal DataFolder Data => data;

    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args, EntryPointCapture.Current);

    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Runs until Ctrl-C or SIGTERM. Sets the exit code of this process.</summary>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        // A test has called Program.cs and starts the application itself.
        if (capture is not null) return;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        void OnSignal(PosixSignalContext signal)
        {
            signal.Cancel = true;
            if (stop.IsCancellationRequested) host?.Kill();
            else stop.Cancel();
        }
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal);
        Environment.ExitCode = await RunToEndAsync(stop.Token);
        await DisposeAsync();
    }

    /// <summary>Starts everything and comes back when all of it is healthy.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        host = Host.Create(services, graph, only: null, console);
        await host.StartAsync(cancellationToken);
        data.WriteEndpoints(Endpoints.Addresses(graph.Resources));
    }

    public Task StopAsync(CancellationToken cancellationToken = default) => host?.StopAsync().WaitAsync(cancellationToken) ?? Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (host is not null) await host.DisposeAsync();
        host = null;
        services.Dispose();
    }

    private async Task<int> RunToEndAsync(CancellationToken stop)
    {
        try
        {
            string[] words = [.. arguments.Where(argument => argument != "--verbose")];
            if (words is ["run", .. var command]) return await new CommandRun(resources, services, graph, console).RunAsync(command, stop);
            if (words.Length > 0)
            {
                console.Say($"'{words[0]}' is unknown. Arguments: --verbose | run <resource> <command…>");
                return 2;
            }
            await StartAsync(stop);
            await new Welcome(resources, services, host!, console).SayAsync(stop);
            throw await host!.Refused.WaitAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            if (host is null) return 130;
            console.Say("Stopping …");
            await host.StopAsync();
            return 0;
        }
        catch (WrongConfigurationException fault)
        {
            // Its lines are on the console already.
            console.Say($"{fault.Resource} refused its configuration; stopping.");
            return 1;
        }
        catch (Exception fault) when (fault is DataFolderTakenException or DependencyFailedException or InvalidOperationException)
        {
            console.Say(fault.Message);
            return 1;
        }
    }
}
