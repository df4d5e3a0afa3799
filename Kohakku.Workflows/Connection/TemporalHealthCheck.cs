using Microsoft.Extensions.Diagnostics.HealthChecks;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Kohakku.Workflows.Connection;

/// <summary>Whether Temporal answers.</summary>
public sealed class TemporalHealthCheck(ITemporalClient client) : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var healthy = await client.Connection.CheckHealthAsync(options: new RpcOptions { Timeout = Timeout, CancellationToken = cancellationToken, Retry = false });
            return healthy ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("Temporal says that it does not serve.");
        }
        catch (Exception fault) when (fault is RpcException or InvalidOperationException)
        {
            return HealthCheckResult.Unhealthy($"Temporal can't be reached: {fault.Message}");
        }
    }
}
