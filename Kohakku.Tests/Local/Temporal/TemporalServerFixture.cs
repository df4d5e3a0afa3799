using Kohakku.Tests.Fixtures;
using Temporalio.Client;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>
/// A Temporal server of a test class's own, with a database of its own. When the class is through, every history that the server holds is
/// checked: see <see cref="Histories"/>.
/// </summary>
public sealed class TemporalServerFixture(PostgresFixture postgres) : IAsyncLifetime
{
    public const string Namespace = "default";

    private TemporalServerProcess? _server;
    private TemporalClient? _client;

    public TemporalClient Client => _client ?? throw new InvalidOperationException("Not started.");

    /// <summary>By a connection of its own: the SDK has one worker of a task queue for each.</summary>
    public Task<TemporalClient> ConnectAsync() => TemporalClient.ConnectAsync(new TemporalClientConnectOptions(TargetHost) { Namespace = Namespace });

    public string TargetHost => _server?.TargetHost ?? throw new InvalidOperationException("Not started.");

    public async ValueTask InitializeAsync()
    {
        _server = new TemporalServerProcess(await postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken));
        await _server.StartAsync();
        _client = await ConnectAsync();
    }

    /// <summary>As <c>kill -9</c>.</summary>
    public Task KillAsync() => _server!.KillAsync();

    /// <summary>After it was killed.</summary>
    public Task StartAgainAsync() => _server!.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server is null) return;
        await using (_server)
        {
            if (_client is not null) await Histories.CheckAllAsync(_client);
        }
    }
}
