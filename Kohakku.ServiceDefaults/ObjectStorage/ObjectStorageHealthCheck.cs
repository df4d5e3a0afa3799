using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Kohakku.ServiceDefaults;

internal sealed class ObjectStorageHealthCheck(ObjectStorage storage) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await storage.ProbeAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is ObjectStorageException or OperationCanceledException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception is OperationCanceledException ? "does not answer" : exception.Message);
        }
    }
}
