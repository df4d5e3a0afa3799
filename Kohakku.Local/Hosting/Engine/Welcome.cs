using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Output;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>What the operator is told once all is healthy: what runs where, the way into the console, and where the token is.</summary>
internal sealed class Welcome(IReadOnlyList<IResource> resources, ServiceFactory services, Host host, HostConsole console)
{
    private const string Console = "controller";
    private const string LoginCommand = "login";

    public async Task SayAsync(CancellationToken cancellationToken)
    {
        console.Table(Summary.Rows(resources, host.Supervisors));
        if (resources.OfType<ProjectResource>().FirstOrDefault(project => project.Name == Console) is { } controller)
        {
            var (exitCode, output, errors) = await CommandRun.CaptureAsync(services.ProgramOf(controller), [LoginCommand], cancellationToken);
            var link = output.Split('\n').LastOrDefault(line => line.Contains("://", StringComparison.Ordinal))?.Trim();
            console.Say(exitCode == 0 && link is not null ? $"Console    {link}  (once; `make login` makes another)" : $"Console    no link to log in: {(errors + output).Trim()}");
        }
        var token = services.Data.Of(DataFolder.ApiTokenFile);
        if (File.Exists(token)) console.Say($"API token  {token}");
        console.Say($"Logs       {services.Data.Logs}");
        console.Say("Ctrl-C stops everything.");
    }
}
