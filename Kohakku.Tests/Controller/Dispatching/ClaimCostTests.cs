using System.Text.Json;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Claiming;
using Kohakku.Tests.Fixtures;
using Npgsql;

namespace Kohakku.Tests.Controller.Dispatching;

public sealed class ClaimCostTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_claim_touches_as_little_of_a_long_queue_as_of_a_short_one()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var dispatcher = await queue.DispatcherAsync();
        await queue.SubmitAsync(200);
        await queue.ExecuteAsync("VACUUM ANALYZE tasks");
        var few = await PagesAsync(queue, dispatcher);
        // Forty thousand more that it can take, and as many that it can't, without new statistics.
        await queue.SubmitAsync(40_000);
        await queue.SubmitAsync(40_000, "labels, priority", """'{"gpu":"true"}', 10""");
        var many = await PagesAsync(queue, dispatcher);
        Assert.InRange(many, 1, few * 2);
        Assert.True(many < 400, $"{many} pages for ten tasks");
    }

    /// <summary>How many pages a claim of ten tasks touches; the claim is rolled back.</summary>
    private static async Task<long> PagesAsync(QueueFixture queue, TestDispatcher dispatcher)
    {
        await using var connection = await queue.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(ClaimSql.Plan);
        batch.Add($"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {ClaimSql.Claim}")
            .With(dispatcher.Id).With(dispatcher.Session).With(Guid.NewGuid()).With(10).With(Enumerable.Range(0, 10).Select(_ => Guid.NewGuid()).ToArray())
            .With(Array.Empty<Guid>()).With(15.0).With((Guid[]?)null).With(queue.Time.GetUtcNow());
        await using var rows = await batch.ExecuteReaderAsync();
        await rows.NextResultAsync();
        await rows.ReadAsync();
        var plan = JsonElement.Parse(rows.GetString(0))[0].GetProperty("Plan");
        return plan.GetProperty("Shared Hit Blocks").GetInt64() + plan.GetProperty("Shared Read Blocks").GetInt64();
    }
}
