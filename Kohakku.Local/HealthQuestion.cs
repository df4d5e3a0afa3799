using System.CommandLine;
using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Engine;

namespace Kohakku.Local;

/// <summary>The command <c>health</c>: asks a server that runs beside it, as the health check of a container whose image has no shell and no curl.</summary>
internal static class HealthQuestion
{
    // Below the time that compose gives it; a process that has just started has much to compile on a busy machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    public static Command Command()
    {
        var url = new Argument<string>("url") { Description = "http://host:port/path, or grpc://host:port for a server of Temporal's protocol." };
        var command = new Command("health", "Exits with 0 where a server answers that it is healthy, else with 1.") { url };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(url)!, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string url, CancellationToken cancellationToken)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "grpc"))
        {
            await Console.Error.WriteLineAsync($"kohakku-local health: '{url}' is no http:// or grpc:// address.");
            return 1;
        }
        HealthCheckAnnotation check = address.Scheme == "grpc"
            ? new GrpcHealthCheckAnnotation("temporal.api.workflowservice.v1.WorkflowService", null)
            : new HttpHealthCheckAnnotation(address.PathAndQuery, 200, null);
        using var probes = new HealthProbes(Patience);
        if (await probes.IsHealthyAsync(check, $"http://{address.Authority}", cancellationToken)) return 0;
        await Console.Error.WriteLineAsync($"kohakku-local health: {url} does not answer that it is healthy.");
        return 1;
    }
}
