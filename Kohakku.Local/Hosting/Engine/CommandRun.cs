using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Output;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>
/// <c>run &lt;resource&gt; &lt;command…&gt;</c>: one command of a project (migrate, seed, login) in the environment it has in the
/// installation. Where that runs, it is used; else what the command needs is started for it and stopped after.
/// </summary>
internal sealed class CommandRun(IReadOnlyList<IResource> resources, ServiceFactory services, ResourceGraph graph, HostConsole console)
{
    public async Task<int> RunAsync(IReadOnlyList<string> words, CancellationToken cancellationToken)
    {
        if (words.Count < 2 || resources.OfType<ProjectResource>().FirstOrDefault(project => project.Name == words[0]) is not { } resource)
        {
            var projects = string.Join(" | ", resources.OfType<ProjectResource>().Select(project => project.Name));
            console.Say($"usage: run <{projects}> <command> [argument…]");
            return 2;
        }
        string[] command = [.. words.Skip(1)];
        try
        {
            await using var host = Host.Create(services, graph, graph.NeededInAllBy(resource), console);
            AllocateUnused();
            await host.StartAsync(cancellationToken);
            var exitCode = await ExecuteAsync(resource, command, cancellationToken);
            // On standard error: the command's output may be taken by a program.
            await Console.Error.WriteLineAsync($"Nothing of {services.Data.FullPath} runs: what `{command[0]}` needed was started for it, and is stopped again. `make up` starts all.");
            return exitCode;
        }
        catch (DataFolderTakenException)
        {
            var ports = services.Data.ReadPorts();
            foreach (var (owner, endpoint) in Endpoints.Of(resources))
            {
                endpoint.AllocatedPort = ports.TryGetValue(Endpoints.Key(owner, endpoint), out var port) ? port : endpoint.AllocatedPort;
            }
            AllocateUnused();
            return await ExecuteAsync(resource, command, cancellationToken);
        }
    }

    /// <summary>Runs the command of a running installation and takes what it writes to standard output.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> CaptureAsync(
        ProgramService service, IEnumerable<string> command, CancellationToken cancellationToken)
    {
        using var process = Start(await service.CommandAsync(command, cancellationToken), capture: true);
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var errors = process.StandardError.ReadToEndAsync(cancellationToken);
        await WaitAsync(process, cancellationToken);
        return (process.ExitCode, await output, await errors);
    }

    private async Task<int> ExecuteAsync(ProjectResource resource, IEnumerable<string> command, CancellationToken cancellationToken)
    {
        using var process = Start(await services.ProgramOf(resource).CommandAsync(command, cancellationToken), capture: false);
        await WaitAsync(process, cancellationToken);
        return process.ExitCode;
    }

    private static Process Start(Launch launch, bool capture)
    {
        var start = new ProcessStartInfo(launch.Program, launch.Arguments)
        {
            WorkingDirectory = launch.WorkingDirectory,
            RedirectStandardOutput = capture,
            RedirectStandardError = capture,
        };
        foreach (var (name, value) in launch.Environment) start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"{launch.Program} did not start.");
    }

    private static async Task WaitAsync(Process process, CancellationToken cancellationToken)
    {
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            _ = LibC.Kill(process.Id, LibC.SigTerm);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>Addresses of what doesn't run now are those it would like to have.</summary>
    private void AllocateUnused()
    {
        foreach (var (_, endpoint) in Endpoints.Of(resources)) endpoint.AllocatedPort ??= endpoint.Port ?? 0;
    }
}
