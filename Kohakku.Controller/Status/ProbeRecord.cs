using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Status;

/// <summary>What one probe has found.</summary>
/// <param name="Since">When it began to be so, where that was noticed before it could be written down.</param>
internal sealed record ProbeResult(string Name, bool Healthy, string? Detail, TimeSpan Duration, DateTimeOffset? Since = null);

/// <summary>Writes down what probes find, and from when to when a service was away.</summary>
internal sealed class ProbeRecord(NpgsqlDataSource database, TimeProvider time)
{
    /// <summary>$1 now, then columns: name, healthy, detail, duration, since.</summary>
    private const string UpsertSql =
        """
        INSERT INTO probes AS p (name, healthy, detail, duration_ms, checked_at, changed_at)
        SELECT name, healthy, detail, duration_ms, $1, coalesce(since, $1) FROM unnest($2::text[], $3::bool[], $4::text[], $5::float8[], $6::timestamptz[]) AS u(name, healthy, detail, duration_ms, since)
        ON CONFLICT (name) DO UPDATE SET healthy = excluded.healthy, detail = excluded.detail, duration_ms = excluded.duration_ms, checked_at = excluded.checked_at,
            changed_at = CASE WHEN p.healthy = excluded.healthy THEN p.changed_at ELSE excluded.changed_at END
        """;

    /// <summary>Same parameters. An outage that goes on keeps what was wrong at first.</summary>
    private const string BeginSql =
        """
        INSERT INTO outages (name, began_at, detail)
        SELECT name, coalesce(since, $1), detail FROM unnest($2::text[], $3::bool[], $4::text[], $5::float8[], $6::timestamptz[]) AS u(name, healthy, detail, duration_ms, since) WHERE NOT healthy
        ON CONFLICT (name) WHERE ended_at IS NULL DO NOTHING
        """;

    private const string EndSql = "UPDATE outages o SET ended_at = $1 FROM unnest($2::text[], $3::bool[]) AS u(name, healthy) WHERE o.name = u.name AND u.healthy AND o.ended_at IS NULL";

    /// <summary>An outage that was over before it could be written down. $1 name, $2 from, $3 to, $4 what was wrong.</summary>
    private const string PastSql = "INSERT INTO outages (name, began_at, ended_at, detail) VALUES ($1, $2, $3, $4)";

    /// <summary>$1 before when.</summary>
    private const string ForgetSql = "DELETE FROM outages WHERE ended_at < $1";

    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    public async Task WriteAsync(IReadOnlyList<ProbeResult> results, CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        await using var batch = database.CreateBatch();
        Columns(batch.Add(UpsertSql));
        Columns(batch.Add(BeginSql));
        batch.Add(EndSql).With(now).With(results.Select(result => result.Name).ToArray()).With(results.Select(result => result.Healthy).ToArray());
        batch.Add(ForgetSql).With(now - Kept);
        await batch.ExecuteNonQueryAsync(cancellationToken);

        void Columns(NpgsqlBatchCommand command) => command.With(now)
            .With(results.Select(result => result.Name).ToArray())
            .With(results.Select(result => result.Healthy).ToArray())
            .With(results.Select(result => result.Detail).ToArray())
            .With(results.Select(result => result.Duration.TotalMilliseconds).ToArray())
            .With(results.Select(result => result.Since).ToArray());
    }

    public async Task WritePastAsync(string name, DateTimeOffset from, string? detail, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.Add(PastSql).With(name).With(from).With(time.GetColumnNow()).With(detail);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
