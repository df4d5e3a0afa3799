using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Output;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>Runs a project as its build left it, or a program.</summary>
internal sealed class ProgramService(Resource resource, IReadOnlyDictionary<string, string?> hostEnvironment, HealthProbes probes) : Service(resource)
{
    /// <summary>ASP.NET Core gives its requests 30 s to end; less would cut the drain of a dispatcher short.</summary>
    private static readonly TimeSpan ProjectGrace = TimeSpan.FromSeconds(35);

    private readonly HealthCheckAnnotation[] checks = [.. resource.All<HealthCheckAnnotation>()];

    public override bool RunsOnce => Resource is ExecutableResource && !resource.All<EndpointAnnotation>().Any();
    public override TimeSpan Grace => Resource is ProjectResource ? ProjectGrace : ServerGrace;
    public override ILineLevels OutputLevels() => new AspNetLevels(LineLevel.Information);
    public override ILineLevels ErrorLevels() => new AspNetLevels(LineLevel.Warning);

    public override async Task<Launch> LaunchAsync(CancellationToken cancellationToken)
    {
        var (program, arguments, directory) = Command();
        foreach (var argument in resource.All<ArgumentsAnnotation>().SelectMany(annotation => annotation.Arguments))
        {
            arguments.Add(argument is IValueProvider value ? await value.GetValueAsync(cancellationToken) ?? "" : argument.ToString() ?? "");
        }
        return new Launch(program, arguments, directory)
        {
            Environment = await ResourceEnvironment.OfAsync(resource, hostEnvironment, cancellationToken),
        };
    }

    /// <summary>The same program with other arguments, as for its commands (<c>migrate</c>).</summary>
    public async Task<Launch> CommandAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var launch = await LaunchAsync(cancellationToken);
        var (_, first, _) = Command();
        return launch with { Arguments = [.. first, .. arguments] };
    }

    public override async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        foreach (var check in checks)
        {
            var endpoint = new EndpointReference((IResourceWithEndpoints)Resource, check.EndpointName ?? "http");
            if (!await probes.IsHealthyAsync(check, endpoint.Url, cancellationToken)) return false;
        }
        return true;
    }

    private (string Program, List<string> Arguments, string Directory) Command()
    {
        if (Resource is ExecutableResource executable)
        {
            var program = Path.Combine(executable.WorkingDirectory, executable.Command);
            return (File.Exists(program) ? program : executable.Command, [], executable.WorkingDirectory);
        }
        var project = BuiltProject.Of(resource.All<IProjectMetadata>().Single());
        return (project.Program, [.. project.Arguments], project.Directory);
    }
}
