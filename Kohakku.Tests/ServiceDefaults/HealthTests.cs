using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.ServiceDefaults;

public sealed class HealthTests(PostgresFixture postgres, ObjectStorageFixture objects)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/")]
    [InlineData("/ready")]
    [InlineData("/ready/")]
    public async Task All_is_well_when_database_and_storage_answer(string path)
    {
        var settings = await objects.CreateSettingsAsync();
        settings["ConnectionStrings__controller"] = await postgres.CreateDatabaseAsync(Cancellation);
        await using var service = await TestService.StartAsync(settings, builder => builder.AddPostgres("controller").AddObjectStorage(), _ => { });
        // The bucket is made by the service itself, a moment after its start.
        await Eventually.Async(async () => (await service.Client.GetAsync("/ready", Cancellation)).IsSuccessStatusCode);
        var health = await service.Client.GetFromJsonAsync<JsonElement>(path, Cancellation);
        Assert.Equal("healthy", health.GetProperty("status").GetString());
        Assert.Equal("healthy", health.GetProperty("checks").GetProperty("database").GetProperty("status").GetString());
        Assert.Equal(path.StartsWith("/ready", StringComparison.Ordinal), health.GetProperty("checks").TryGetProperty("objectStorage", out _));
    }

    [Fact]
    public async Task Without_its_database_a_service_is_unhealthy_and_says_what_is_missing()
    {
        await using var service = await TestService.StartAsync(
            new Dictionary<string, string?> { ["ConnectionStrings__controller"] = "Host=127.0.0.1;Port=1;Username=x;Password=hunter2" },
            builder => builder.AddPostgres("controller"), _ => { });
        using var answer = await service.Client.GetAsync("/health", Cancellation);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        // What a restart would not mend must not end it.
        Assert.Equal(HttpStatusCode.OK, (await service.Client.GetAsync("/alive", Cancellation)).StatusCode);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains("\"database\":{\"status\":\"unhealthy\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_hangs_is_told_while_a_prober_waits_and_one_question_is_asked_of_it()
    {
        await using var server = await PostgresServer.StartNewAsync(Cancellation);
        await using var service = await TestService.StartAsync(
            new Dictionary<string, string?> { ["ConnectionStrings__controller"] = $"{server.ConnectionString};Pooling=true;Maximum Pool Size=2" },
            builder => builder.AddPostgres("controller"), _ => { });
        Assert.Equal(HttpStatusCode.OK, (await service.Client.GetAsync("/health", Cancellation)).StatusCode);
        // With a connection in the pool, which is what hangs.
        server.Freeze();
        var asked = Task.WhenAll(Enumerable.Range(0, 10).Select(_ => service.Client.GetAsync("/health", Cancellation)));
        foreach (var answer in await asked.WaitAsync(HealthCommand.Patience, Cancellation))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Contains("does not answer", await answer.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }
        server.Thaw();
        await Eventually.Async(async () => (await service.Client.GetAsync("/health", Cancellation)).IsSuccessStatusCode);
    }

    [Fact]
    public async Task Without_redis_or_storage_it_is_alive_but_not_ready()
    {
        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings__controller"] = await postgres.CreateDatabaseAsync(Cancellation),
            ["REDIS_URL"] = "redis://127.0.0.1:1", ["S3_ENDPOINT"] = "http://127.0.0.1:1", ["S3_ACCESS_KEY"] = "a", ["S3_SECRET_KEY"] = "b",
        };
        await using var service = await TestService.StartAsync(
            settings, builder => builder.AddPostgres("controller").AddRedis().AddObjectStorage(), _ => { });
        Assert.Equal(HttpStatusCode.OK, (await service.Client.GetAsync("/health", Cancellation)).StatusCode);
        using var ready = await service.Client.GetAsync("/ready", Cancellation);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        var checks = (await ready.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("checks");
        Assert.Equal(
            ("healthy", "unhealthy", "unhealthy"),
            (Status("database"), Status("redis"), Status("objectStorage")));

        string? Status(string name) => checks.GetProperty(name).GetProperty("status").GetString();
    }

    [Fact]
    public async Task Metrics_tell_of_the_process_and_of_our_own_meters()
    {
        await using var service = await TestService.StartAsync(new Dictionary<string, string?>(), builder => builder.AddSigning(), _ => { });
        _ = service.Services.GetService(typeof(SigningClock));
        var metrics = await service.Client.GetStringAsync("/metrics", Cancellation);
        Assert.Contains("dotnet_process_memory_working_set", metrics, StringComparison.Ordinal);
        Assert.Contains("kohakku_signing_clock_skew", metrics, StringComparison.Ordinal);
    }
}
