using System.Diagnostics;
using System.Text.Json;
using Kohakku.Contracts.Dispatching;
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

    /// <summary>Figures for the report: <c>dotnet run -- -explicit on -method '*Throughput_and_claim_latency'</c>.</summary>
    [Fact(Explicit = true)]
    public async Task Throughput_and_claim_latency()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var dispatcher = await queue.DispatcherAsync();
        await queue.SubmitAsync(3_000);
        await LifecyclesAsync(queue, dispatcher, 1_000, 1); // warm
        foreach (var (claimers, batch) in new[] { (1, 64), (2, 64), (4, 64), (2, 256) })
        {
            await queue.SubmitAsync(8_000);
            await queue.ExecuteAsync("CHECKPOINT");
            var (own, servers) = await CpuAsync(queue);
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, claimers).Select(_ => LifecyclesAsync(queue, dispatcher, 8_000 / claimers, batch)));
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var (ownAfter, serversAfter) = await CpuAsync(queue);
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{claimers} claimers × batches of {batch}: {8_000 / seconds:N0} lifecycles/s (claim + 3 events); "
                + $"CPU per lifecycle {(ownAfter - own).TotalMicroseconds / 8_000:N0} µs here, {(serversAfter - servers).TotalMicroseconds / 8_000:N0} µs in PostgreSQL");
        }

        await queue.ExecuteAsync("DELETE FROM tasks");
        await queue.SubmitAsync(3_000);
        foreach (var size in new[] { 1_000, 200_000 })
        {
            if (size > 3_000) for (var more = 0; more < size; more += 20_000) await queue.SubmitAsync(20_000);
            List<double> took = [];
            for (var claim = 0; claim < 1_000; claim++)
            {
                var started = Stopwatch.GetTimestamp();
                Assert.Single(await queue.ClaimAsync(dispatcher));
                took.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            took.Sort();
            TestContext.Current.TestOutputHelper!.WriteLine($"{size:N0} queued: claim p50 {took[500]:N2} ms, p99 {took[990]:N2} ms");
        }
    }

    /// <summary>Processor time of this process and of the database's: what a busy machine doesn't blur.</summary>
    private static async Task<(TimeSpan Own, TimeSpan Servers)> CpuAsync(QueueFixture queue)
    {
        var backend = await queue.ReadAsync("SELECT pg_backend_pid()");
        var postmaster = Stat(backend!)[1];
        var ticks = Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(name => Stat(name!))
            .Where(stat => stat.Length > 12 && stat[1] == postmaster).Sum(stat => long.Parse(stat[11]) + long.Parse(stat[12]));
        using var self = Process.GetCurrentProcess();
        return (self.TotalProcessorTime, TimeSpan.FromMilliseconds(ticks * 10));

        // What follows "pid (name) ": state, parent, … user time, system time, in hundredths of a second.
        static string[] Stat(string pid)
        {
            try
            {
                return File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1].Split(' ');
            }
            catch (IOException)
            {
                return [];
            }
        }
    }

    private static async Task LifecyclesAsync(QueueFixture queue, TestDispatcher dispatcher, int count, int batch)
    {
        for (var done = 0; done < count;)
        {
            var orders = await queue.ClaimAsync(dispatcher, batch);
            if (orders.Count == 0) return;
            List<AttemptEvent> events = [];
            foreach (var order in orders)
            {
                events.Add(queue.Event(order.AttemptId, 1, "starting"));
                events.Add(queue.Event(order.AttemptId, 2, "running", """{"runtimeId":"inline"}"""));
                events.Add(queue.Event(order.AttemptId, 3, "ended", QueueFixture.Succeeded));
            }

            await queue.ReportAsync(dispatcher, events);
            done += orders.Count;
        }
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
