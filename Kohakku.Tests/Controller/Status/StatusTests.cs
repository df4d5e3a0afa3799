using Kohakku.Controller.Status;
using Kohakku.Tests.Controller.Tasks;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Time.Testing;

namespace Kohakku.Tests.Controller.Status;

/// <summary>What the status says, on a real database; the clock is the test's.</summary>
public sealed class StatusTests(PostgresFixture postgres, ObjectStorageFixture storage) : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private RunningController _controller = null!;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _controller = await RunningController.StartAsync(postgres, storage, _time, Token);

    public ValueTask DisposeAsync() => _controller.DisposeAsync();

    [Fact]
    public async Task Without_a_scheduler_it_says_so()
    {
        var status = await ReadAsync();
        Assert.Equal("degraded", status.Body.GetProperty("status").GetString());
        var scheduler = Assert.Single(status.Body.GetProperty("services").EnumerateArray());
        Assert.Equal(("scheduler", false), (scheduler.GetProperty("name").GetString(), scheduler.GetProperty("healthy").GetBoolean()));
    }

    [Fact]
    public async Task An_outage_is_noted_from_its_beginning_to_its_end()
    {
        var record = new ProbeRecord(_controller.Database, _time);
        await ProbeAsync(record, "redis", healthy: true);
        Assert.Equal("healthy", (await ReadAsync()).Body.GetProperty("status").GetString());
        _time.Advance(TimeSpan.FromSeconds(10));
        await ProbeAsync(record, "redis", healthy: false);
        _time.Advance(TimeSpan.FromSeconds(10));
        await ProbeAsync(record, "redis", healthy: false);
        var during = (await ReadAsync()).Body;
        Assert.Equal("degraded", during.GetProperty("status").GetString());
        Assert.Equal("It is away.", during.GetProperty("services")[0].GetProperty("detail").GetString());
        _time.Advance(TimeSpan.FromSeconds(10));
        await ProbeAsync(record, "redis", healthy: true);
        var outage = Assert.Single((await ReadAsync()).Body.GetProperty("outages").EnumerateArray());
        Assert.Equal(TimeSpan.FromSeconds(20), outage.GetProperty("endedAt").GetDateTimeOffset() - outage.GetProperty("beganAt").GetDateTimeOffset());
        Assert.Equal("healthy", (await ReadAsync()).Body.GetProperty("status").GetString());
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal("degraded", (await ReadAsync()).Body.GetProperty("status").GetString());
    }

    [Fact]
    public async Task What_is_stuck_is_found_and_explained()
    {
        await ProbeAsync(new ProbeRecord(_controller.Database, _time), "redis", healthy: true);
        var queued = (await _controller.PostAsync("/api/v1/tasks", """{ "agent": "noop", "brief": "x", "labels": { "gpu": "true" } }""", Token)).Id;
        var running = (await _controller.PostAsync("/api/v1/tasks", """{ "agent": "noop", "brief": "x", "timeoutSeconds": 60 }""", Token)).Id;
        var stopping = (await _controller.PostAsync("/api/v1/tasks", """{ "agent": "noop", "brief": "x" }""", Token)).Id;
        Assert.Equal(0, (await ReadAsync()).Body.GetProperty("stuck").GetArrayLength());
        var now = _time.GetUtcNow();
        await _controller.ExecuteAsync("UPDATE tasks SET queued_at = $1 WHERE id = $2", now.AddMinutes(-6), queued);
        await _controller.ExecuteAsync("UPDATE tasks SET status = 'running', started_at = $1 WHERE id = $2", now.AddMinutes(-4), running);
        await _controller.ExecuteAsync("UPDATE tasks SET status = 'running', started_at = $1, cancel_requested_at = $1 WHERE id = $2", now.AddMinutes(-3), stopping);
        await _controller.ExecuteAsync("INSERT INTO outbox (kind, created_at, due_at, tries, last_error) VALUES ('turn', $1, $1, 7, 'Oh no.')", now.AddMinutes(-2));
        var status = (await ReadAsync()).Body;
        Assert.Equal("degraded", status.GetProperty("status").GetString());
        var stuck = status.GetProperty("stuck").EnumerateArray().ToArray();
        Assert.Equal([queued, running, stopping], stuck.Take(3).Select(item => item.GetProperty("id").GetGuid()));
        var words = stuck.Select(item => item.GetProperty("why").GetString()!).ToArray();
        Assert.Equal("No dispatcher is online.", words[0]);
        Assert.StartsWith("It runs longer than its timeout of 60 s", words[1], StringComparison.Ordinal);
        Assert.StartsWith("It was told to stop", words[2], StringComparison.Ordinal);
        Assert.Equal("Oh no.", words[3]);
        Assert.Equal((1, 2), (status.GetProperty("queue").GetProperty("queued").GetInt32(), status.GetProperty("queue").GetProperty("running").GetInt32()));
    }

    private static Task ProbeAsync(ProbeRecord record, string name, bool healthy) =>
        record.WriteAsync([new ProbeResult(name, healthy, healthy ? null : "It is away.", TimeSpan.FromMilliseconds(2))], Token);

    private Task<Answer> ReadAsync() => _controller.SendAsync(HttpMethod.Get, "/api/v1/status", null, Token);
}
