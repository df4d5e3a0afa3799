using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Kohakku.ServiceDefaults;

/// <summary>Whether the database answers a question. Those who ask at the same time share one, so that a database that hangs costs one connection.</summary>
internal sealed class PostgresHealthCheck(NpgsqlDataSource database) : IHealthCheck
{
    private readonly Lock gate = new();
    private Task asking = Task.CompletedTask;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await AskAsync().WaitAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or OperationCanceledException)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, exception is OperationCanceledException ? "does not answer" : exception.Message);
        }
    }

    private Task AskAsync()
    {
        lock (gate) return asking.IsCompleted ? asking = SelectAsync() : asking;
    }

    /// <summary>
    /// Without the caller's token: to cancel, Npgsql asks the same server over another connection and waits for it, which takes 7 s more when it hangs.
    /// The command's own timeout ends it, whoever still listens.
    /// </summary>
    private async Task SelectAsync()
    {
        await using var command = database.CreateCommand("SELECT 1");
        command.CommandTimeout = (int)HealthEndpoints.CheckTimeout.TotalSeconds;
        await command.ExecuteScalarAsync(CancellationToken.None);
    }
}
