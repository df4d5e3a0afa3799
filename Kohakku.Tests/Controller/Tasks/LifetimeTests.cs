using Kohakku.Contracts.Storage;
using Kohakku.Controller.Tasks.Lifetime;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Kohakku.Tests.Controller.Tasks;

/// <summary>What expires, and what is kept how long: on a real database and real object storage; the clock is the test's.</summary>
public sealed class LifetimeTests(PostgresFixture postgres, ObjectStorageFixture storage) : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(TimeProvider.System.GetUtcNow());
    private RunningController _controller = null!;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _controller = await RunningController.StartAsync(postgres, storage, _time, Token);

    public ValueTask DisposeAsync() => _controller.DisposeAsync();

    [Fact]
    public async Task What_nobody_claims_in_time_ends_and_says_so()
    {
        var expiry = _controller.Services.GetRequiredService<TaskExpiry>();
        var task = await SubmitAsync($", \"expiresAt\": \"{_time.GetUtcNow().AddMinutes(1):O}\"");
        await SubmitAsync("");
        Assert.Equal(0, await expiry.RunOnceAsync(Token));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(1, await expiry.RunOnceAsync(Token));
        Assert.Equal(0, await expiry.RunOnceAsync(Token));
        var view = await _controller.TaskAsync(task, Token);
        Assert.Equal(("TimedOut", 0), (view.Status.ToString(), view.Attempts.Count));
        Assert.StartsWith("Nobody claimed it before it expired", view.Failure!.Message, StringComparison.Ordinal);
        Assert.NotNull(view.ExpiresAt);
    }

    [Fact]
    public async Task What_was_claimed_does_not_expire_and_neither_does_what_a_person_retried()
    {
        var expiry = _controller.Services.GetRequiredService<TaskExpiry>();
        var soon = $", \"expiresAt\": \"{_time.GetUtcNow().AddMinutes(1):O}\"";
        var (claimed, retried) = (await SubmitAsync(soon), await SubmitAsync(soon));
        await _controller.ExecuteAsync("UPDATE tasks SET attempt_count = 1, current_attempt_id = gen_random_uuid() WHERE id = $1", claimed);
        await _controller.ExecuteAsync("UPDATE tasks SET generation = 2 WHERE id = $1", retried);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(0, await expiry.RunOnceAsync(Token));
    }

    [Fact]
    public async Task A_time_before_its_beginning_is_refused() =>
        (await _controller.PostAsync("/api/v1/tasks", """{ "agent": "noop", "brief": "x", "notBefore": "2030-01-01T00:00:00Z", "expiresAt": "2030-01-01T00:00:00Z" }""", Token)).IsProblem(422, "expiresAt");

    [Fact]
    public async Task Old_work_goes_with_its_objects_and_nothing_else_does()
    {
        var retention = _controller.Services.GetRequiredService<Retention>();
        var (old, young, running, needed) = (await SubmitAsync(""), await SubmitAsync(""), await SubmitAsync(""), await SubmitAsync(""));
        await SubmitAsync($", \"needs\": [\"{needed}\"]");
        var attempt = Guid.CreateVersion7();
        string[] ofOld = [ObjectKeys.Brief(old), ObjectKeys.LogSegment(attempt, 0), ObjectKeys.LogSegment(attempt, 1), ObjectKeys.Artifact(old, 1, "a/b.txt")];
        string[] ofYoung = [ObjectKeys.Brief(young), ObjectKeys.Artifact(young, 1, "a.txt")];
        foreach (var key in (string[])[.. ofOld, .. ofYoung]) await _controller.Storage.PutAsync(key, "x"u8.ToArray(), "text/plain", Token);
        await _controller.ExecuteAsync(
            "INSERT INTO attempts (id, task_id, number, generation, status, dispatcher_id, dispatcher_name, request_id, lease_until, applied_sequence, claimed_at, started_at, ended_at) VALUES ($1, $2, 1, 1, 'succeeded', gen_random_uuid(), 'd', gen_random_uuid(), now(), 3, now(), now(), now())",
            attempt, old);
        foreach (var ended in (Guid[])[old, young, needed])
            await _controller.ExecuteAsync("UPDATE tasks SET status = 'succeeded', ended_at = $2 WHERE id = $1", ended, ended == young ? _time.GetUtcNow().AddDays(-29) : _time.GetUtcNow().AddDays(-31));
        Assert.Equal(new Removed(1, ofOld.Length, 0, 0, 0), await retention.RunOnceAsync(Token));
        Assert.Equal(new Removed(0, 0, 0, 0, 0), await retention.RunOnceAsync(Token));
        Assert.Equal(0L, await _controller.ScalarAsync<long>("SELECT count(*) FROM attempts"));
        Assert.Equal(4L, await _controller.ScalarAsync<long>("SELECT count(*) FROM tasks"));
        foreach (var key in ofOld) Assert.Null(await _controller.Storage.ReadAsync(key, Token));
        foreach (var key in ofYoung) Assert.NotNull(await _controller.Storage.ReadAsync(key, Token));
    }

    [Fact]
    public async Task A_run_goes_when_its_tasks_have_and_takes_its_rows_along()
    {
        var retention = _controller.Services.GetRequiredService<Retention>();
        var made = await _controller.PostAsync("/api/v1/schedules/x/trigger", "{}", Token);
        made.IsProblem(404);
        await _controller.SendAsync(HttpMethod.Put, "/api/v1/schedules/x", new StringContent("""{ "every": "1h", "target": { "workflow": "nightly" } }""", null, "application/json"), Token);
        await _controller.PostAsync("/api/v1/schedules/x/trigger", "{}", Token);
        await _controller.Services.GetRequiredService<Kohakku.Controller.Schedules.Firing.PendingFirings>().RunOnceAsync(Token);
        var task = await SubmitAsync("");
        var old = _time.GetUtcNow().AddDays(-31);
        await _controller.ExecuteAsync("UPDATE tasks SET run_id = (SELECT id FROM runs), status = 'succeeded', ended_at = $1 WHERE id = $2", old, task);
        Assert.Equal(new Removed(0, 0, 0, 0, 0), await retention.RunOnceAsync(Token));
        await _controller.ExecuteAsync("UPDATE runs SET status = 'succeeded', ended_at = $1", old);
        await _controller.ExecuteAsync("UPDATE schedule_firings SET fired_at = $1", old);
        Assert.Equal(new Removed(1, 0, 1, 1, 0), await retention.RunOnceAsync(Token));
        Assert.Equal(0L, await _controller.ScalarAsync<long>("SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM run_steps) + (SELECT count(*) FROM run_events)"));
    }

    private async Task<Guid> SubmitAsync(string more) => (await _controller.PostAsync("/api/v1/tasks", $$"""{ "agent": "noop", "brief": "x"{{more}} }""", Token)).Id;
}
