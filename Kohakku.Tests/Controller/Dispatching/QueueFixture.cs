using System.Diagnostics.Metrics;
using System.Text.Json;
using Kohakku.Contracts.Dispatching;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching;
using Kohakku.Controller.Dispatching.Callbacks;
using Kohakku.Controller.Dispatching.Claiming;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Dispatching.Outbox;
using Kohakku.Controller.Failures;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Controller.Data;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Kohakku.Tests.Controller.Dispatching;

/// <summary>The queue on a real database of the test's own, without HTTP: dispatchers and tasks are rows, the rest is the product's.</summary>
internal sealed class QueueFixture : IAsyncDisposable
{
    private readonly Meters meters = new();
    private readonly ChangeFeed feed;

    private QueueFixture(NpgsqlDataSource database, TimeProvider time)
    {
        Database = database;
        Time = time;
        feed = new ChangeFeed(database, time, NullLogger<ChangeFeed>.Instance);
        Metrics = new DispatchingMetrics(meters);
        Signals = new LoopSignals();
        Changes = new TaskChanges(database, feed, Signals, Metrics, time);
        var storage = new ObjectStorage(new ObjectStorageOptions(new Uri("http://127.0.0.1:9"), "key", "secret", "us-east-1", "kohakku"), time);
        Queue = new ClaimQueue(database, new Orders(new AttemptTokens(Options), storage, Options), new ProjectTurns(), feed, Metrics, time);
        Receiver = new CallbackReceiver(Changes, Metrics, NullLogger<CallbackReceiver>.Instance);
        Reaper = new LeaseReaper(database, Changes, time, NullLogger<LeaseReaper>.Instance);
        Promotion = new Promotion(database, Changes, Signals, time, NullLogger<Promotion>.Instance);
        Expiry = new QuestionExpiry(database, Changes, time, NullLogger<QuestionExpiry>.Instance);
        Needs = new NeedsHandler(database, Changes);
        Failures = new FailureHandler(database, time, NullLogger<FailureHandler>.Instance);
        Outbox = new TaskOutbox(database, [Needs, new TurnHandler(database, feed), Failures], Signals, Metrics, time, NullLogger<TaskOutbox>.Instance);
    }

    public NpgsqlDataSource Database { get; }
    /// <summary>For processes of their own.</summary>
    public string ConnectionString { get; private init; } = "";
    public TimeProvider Time { get; }
    public ChangeFeed Feed => feed;
    public DispatchingMetrics Metrics { get; }
    public LoopSignals Signals { get; }
    public TaskChanges Changes { get; }
    public ClaimQueue Queue { get; }
    public CallbackReceiver Receiver { get; }
    public LeaseReaper Reaper { get; }
    public Promotion Promotion { get; }
    public QuestionExpiry Expiry { get; }
    public NeedsHandler Needs { get; }
    public FailureHandler Failures { get; }
    public OutboxDelivery Outbox { get; }
    public static ControllerOptions Options { get; } = new()
    {
        Url = "http://localhost", SecretKey = "a secret of the tests, of 32 bytes or more"u8.ToArray(), AllowedHosts = ["*"], AgentImageRegistry = "registry.test/agents",
    };

    public Guid Project { get; } = Guid.CreateVersion7();
    public Guid Agent { get; } = Guid.CreateVersion7();

    public static async Task<QueueFixture> CreateAsync(PostgresFixture postgres, TimeProvider? time = null)
    {
        var connection = new NpgsqlConnectionStringBuilder(await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken))
        {
            MaxAutoPrepare = 64, AutoPrepareMinUsages = 3, MaxPoolSize = 40, IncludeErrorDetail = true,
        };
        var database = NpgsqlDataSource.Create(connection.ConnectionString);
        await ControllerDatabases.Schema(database).ApplyAsync(TestContext.Current.CancellationToken);
        var fixture = new QueueFixture(database, time ?? TimeProvider.System) { ConnectionString = connection.ConnectionString };
        await fixture.AddProjectAsync(fixture.Project, "default", fixture.Agent);
        return fixture;
    }

    public static FakeTimeProvider FakeTime() => new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));

    public async Task AddProjectAsync(Guid project, string name, Guid agent)
    {
        await ExecuteAsync($"INSERT INTO projects (id, name, created_at) VALUES ('{project}', '{name}', now())");
        await ExecuteAsync(
            $$"""
            INSERT INTO agents (id, project_id, name, image, command, mode, env, pull_policy, network, resources, heartbeat_timeout_seconds, warm, created_at, updated_at)
            VALUES ('{{agent}}', '{{project}}', 'shell', 'shell', '{sh}', 'exec', '{}', 'missing', '{"mode":"none","allow":null}', '{"cpu":null,"memoryMb":512,"pids":null}', 60, 0, now(), now())
            """);
    }

    /// <summary>Makes tasks as submit does; <paramref name="columns"/> and <paramref name="values"/> are SQL for what differs.</summary>
    public async Task<IReadOnlyList<Guid>> SubmitAsync(int count = 1, string columns = "", string values = "", Guid? project = null, Guid? agent = null)
    {
        List<Guid> ids = [];
        var (more, moreValues) = columns.Length == 0 ? ("", "") : ($", {columns}", $", {values}");
        var given = columns.Split(',', StringSplitOptions.TrimEntries);
        var defaults = new (string Column, string Value)[]
            {
                ("status", "'queued'"), ("claimable", "true"), ("priority", "0"), ("max_attempts", "1"), ("on_lost", "'retry'"), ("labels", "'{}'"),
                ("needs", "'{}'"), ("queued_at", "clock_timestamp()"), ("generation", "1"),
            }.Where(pair => !given.Contains(pair.Column)).ToArray();
        await using var command = Database.CreateCommand(
            $"""
            INSERT INTO tasks (id, project_id, agent_id, agent_name, title, brief, inputs_stored, skills, env, secrets, tags, timeout_seconds, attempt_count,
                agent_failures, infrastructure_faults, event_sequence, input_tokens, output_tokens, cost_usd, created_at,
                {string.Join(", ", defaults.Select(pair => pair.Column))}{more})
            SELECT id, '{project ?? Project}', '{agent ?? Agent}', 'shell', 'A task', 'true', false, '[]', '{"{}"}', '{"{}"}', '{"{}"}', 60, 0,
                0, 0, 2, 0, 0, 0, now(), {string.Join(", ", defaults.Select(pair => pair.Value))}{moreValues}
            FROM unnest($1::uuid[]) AS u(id)
            """);
        for (var index = 0; index < count; index++) ids.Add(Guid.CreateVersion7());
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. ids] });
        await command.ExecuteNonQueryAsync();
        return ids;
    }

    public async Task<TestDispatcher> DispatcherAsync(string labels = "{}", string name = "one")
    {
        var dispatcher = new TestDispatcher(Guid.CreateVersion7(), Guid.NewGuid());
        await ExecuteAsync(
            $"""
            INSERT INTO dispatchers (id, instance_id, name, session, status, draining, url, version, runtime, labels, capacity, free_slots, registered_at, last_heartbeat_at)
            VALUES ('{dispatcher.Id}', gen_random_uuid(), '{name}', '{dispatcher.Session}', 'online', false, 'http://127.0.0.1:1', '1', 'process', '{labels}', 10, 10, now(), clock_timestamp())
            """);
        return dispatcher;
    }

    public Task<ClaimResult> TryClaimAsync(TestDispatcher dispatcher, int slots = 1, Guid? requestId = null) =>
        Queue.TryClaimAsync(dispatcher.Id, new ClaimRequest(dispatcher.Session, requestId ?? Guid.NewGuid(), slots, 0), CancellationToken.None);

    public async Task<IReadOnlyList<AttemptOrder>> ClaimAsync(TestDispatcher dispatcher, int slots = 1) => (await TryClaimAsync(dispatcher, slots)).Orders;

    public async Task<CallbackResult> ReportAsync(TestDispatcher dispatcher, Guid attempt, params (long Sequence, string Type, string? Data)[] events) =>
        Assert.Single((await ReportAsync(dispatcher, [.. events.Select(report => Event(attempt, report.Sequence, report.Type, report.Data))])).Results);

    public async Task<CallbackAnswer> ReportAsync(TestDispatcher dispatcher, IReadOnlyList<AttemptEvent> events) =>
        Assert.IsType<CallbackAnswer>(await Receiver.ApplyAsync(new CallbackBatch(dispatcher.Session, events), CancellationToken.None));

    public AttemptEvent Event(Guid attempt, long sequence, string type, string? data = null) =>
        new(attempt, sequence, Time.GetUtcNow(), type, data is null ? null : JsonElement.Parse(data));

    public const string Succeeded = """{"status":"succeeded","reason":null,"exitCode":0,"message":null,"output":{"n":1},"logTail":"bye"}""";

    public static string Failed(string reason, bool transient = true) =>
        $$"""{"status":"failed","reason":"{{reason}}","exitCode":3,"message":"It broke.","output":null,"logTail":"oh","transient":{{(transient ? "true" : "false")}}}""";

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>One value, as text.</summary>
    public async Task<string?> ReadAsync(string sql)
    {
        await using var command = Database.CreateCommand($"SELECT ({sql})::text");
        return await command.ExecuteScalarAsync() as string;
    }

    public async Task<string?> StatusAsync(Guid task) => await ReadAsync($"SELECT status FROM tasks WHERE id = '{task}'");

    public async Task<IReadOnlyList<string>> TimelineAsync(Guid task)
    {
        List<string> types = [];
        await using var command = Database.CreateCommand($"SELECT type FROM task_events WHERE task_id = '{task}' ORDER BY id");
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync()) types.Add(rows.GetString(0));
        return types;
    }

    /// <summary>Every lease of live attempts has run out.</summary>
    public Task ExpireLeasesAsync() => ExecuteAsync("UPDATE attempts SET lease_until = clock_timestamp() - interval '1 second' WHERE ended_at IS NULL");

    public async ValueTask DisposeAsync()
    {
        feed.Dispose();
        Promotion.Dispose();
        Expiry.Dispose();
        Outbox.Dispose();
        Reaper.Dispose();
        Signals.Dispose();
        Metrics.Dispose();
        meters.Dispose();
        await Database.DisposeAsync();
    }

    private sealed class Meters : IMeterFactory
    {
        private readonly List<Meter> made = [];

        public Meter Create(MeterOptions options)
        {
            var meter = new Meter(options);
            made.Add(meter);
            return meter;
        }

        public void Dispose() => made.ForEach(meter => meter.Dispose());
    }
}

internal sealed record TestDispatcher(Guid Id, Guid Session);
