using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Status;
using Kohakku.Workflows.Connection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Temporalio.Client;

namespace Kohakku.Scheduler;

/// <summary>
/// Asks the services that Kohakku stands on whether they are there, and writes down the answers. What can't be written while the database is away is remembered and
/// written when it is back.
/// </summary>
internal sealed class ProbeServices(HealthCheckService checks, ITemporalClient temporal, ProbeRecord record, TimeProvider time, ILogger<ProbeServices> logger)
    : DispatchingLoop("the probes of services", time, logger)
{
    private const string Database = "database";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly TimeProvider _time = time;
    private (DateTimeOffset Since, string? Detail)? _databaseAway;
    private bool _isWarm;

    /// <summary>Answers what it found.</summary>
    public async Task<IReadOnlyList<ProbeResult>> RunOnceAsync(CancellationToken cancellationToken)
    {
        List<ProbeResult> results = [];
        foreach (var (name, entry) in (await checks.CheckHealthAsync(cancellationToken)).Entries)
            results.Add(new ProbeResult(name, entry.Status == HealthStatus.Healthy, entry.Description, entry.Duration));
        results.Add(await TemporalAsync(cancellationToken));

        if (results.Find(result => result is { Name: Database, Healthy: false }) is { } away)
        {
            _databaseAway ??= (_time.GetUtcNow(), away.Detail);
            return results;
        }

        await record.WriteAsync(results, cancellationToken);
        if (_databaseAway is { } past)
        {
            await record.WritePastAsync(Database, past.Since, past.Detail, cancellationToken);
            _databaseAway = null;
        }

        return results;
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        // While a process starts its answers are slow, and nobody else's fault.
        if (_isWarm) await RunOnceAsync(cancellationToken);
        _isWarm = true;
        return Pause;
    }

    /// <summary>Not one of this process's own checks: a scheduler without Temporal is of use.</summary>
    private async Task<ProbeResult> TemporalAsync(CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var result = await new TemporalHealthCheck(temporal).CheckHealthAsync(new HealthCheckContext(), patience.Token);
        return new ProbeResult("temporal", result.Status == HealthStatus.Healthy, result.Description, _time.GetElapsedTime(started));
    }
}
