using Kohakku.Controller.Data;
using Kohakku.Controller.Webhooks.Events;
using Npgsql;

namespace Kohakku.Controller.Status;

/// <summary>What one probe has found.</summary>
internal sealed record ProbeResult(string Name, bool Healthy, string? Detail, TimeSpan Duration);

/// <summary>Writes down what probes find, and from when to when a service was away.</summary>
internal sealed class ProbeRecord(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>$1 now, then columns: name, healthy, detail, duration.</summary>
    private const string UpsertSql =
        """
        INSERT INTO probes AS p (name, healthy, detail, duration_ms, checked_at, changed_at)
        SELECT name, healthy, detail, duration_ms, $1, $1 FROM unnest($2::text[], $3::bool[], $4::text[], $5::float8[]) AS u(name, healthy, detail, duration_ms)
        ON CONFLICT (name) DO UPDATE SET healthy = excluded.healthy, detail = excluded.detail, duration_ms = excluded.duration_ms, checked_at = excluded.checked_at,
            changed_at = CASE WHEN p.healthy = excluded.healthy THEN p.changed_at ELSE excluded.changed_at END
        """;

    /// <summary>An outage that goes on keeps what was wrong at first. $1 now, then columns: name, healthy, detail.</summary>
    private const string BeginSql =
        """
        INSERT INTO outages (name, began_at, detail)
        SELECT name, $1, detail FROM unnest($2::text[], $3::bool[], $4::text[]) AS u(name, healthy, detail) WHERE NOT healthy
        ON CONFLICT (name) WHERE ended_at IS NULL DO NOTHING
        """;

    private const string EndSql = "UPDATE outages o SET ended_at = $1 FROM unnest($2::text[], $3::bool[]) AS u(name, healthy) WHERE o.name = u.name AND u.healthy AND o.ended_at IS NULL";

    /// <summary>Every scheduler has seen it; one writes it down. $1 name.</summary>
    private const string LockSql = "SELECT pg_advisory_xact_lock(hashtextextended('kohakku:outage:' || $1::text, 0))";

    /// <summary>An outage that was over before it could be written down. $1 name, $2 from, $3 to, $4 what was wrong.</summary>
    private const string PastSql =
        """
        INSERT INTO outages (name, began_at, ended_at, detail) SELECT $1, $2, $3, $4
        WHERE NOT EXISTS (SELECT 1 FROM outages WHERE name = $1 AND ended_at >= $2)
        """;

    /// <summary>$1 before when.</summary>
    private const string ForgetSql = "DELETE FROM outages WHERE ended_at < $1";

    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    public async Task WriteAsync(IReadOnlyList<ProbeResult> results, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        var names = results.Select(result => result.Name).ToArray();
        var healthy = results.Select(result => result.Healthy).ToArray();
        var details = results.Select(result => result.Detail).ToArray();
        await using var batch = database.CreateBatch();
        batch.Add(UpsertSql).With(now).With(names).With(healthy).With(details).With(results.Select(result => result.Duration.TotalMilliseconds).ToArray());
        batch.Add(BeginSql).With(now).With(names).With(healthy).With(details);
        batch.Add(EndSql).With(now).With(names).With(healthy);
        batch.TellServices(names, now);
        batch.Add(ForgetSql).With(now - Kept);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task WritePastAsync(string name, DateTimeOffset from, string? detail, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        await using var batch = database.CreateBatch();
        batch.Add(LockSql).With(name);
        batch.Add(PastSql).With(name).With(from).With(now).With(detail);
        batch.TellServices([name], now);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
