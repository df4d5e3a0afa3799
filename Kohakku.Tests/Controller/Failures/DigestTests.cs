using System.Collections.Concurrent;
using System.Net;
using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Failures.Digest;
using Kohakku.Controller.Webhooks;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Controller.Data;
using Kohakku.Tests.Controller.Dispatching;
using Kohakku.Tests.Fixtures;
using MailKit.Security;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MimeKit;
using SmtpServer;
using SmtpServer.Protocol;
using SmtpServer.Storage;

namespace Kohakku.Tests.Controller.Failures;

/// <summary>What people are told in the morning, on a real database and by real SMTP; the clock is the test's.</summary>
public sealed class DigestTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 2, 5, 59, 0, TimeSpan.Zero));
    private QueueFixture _queue = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _queue = await QueueFixture.CreateAsync(postgres, _time);
        await new WebhookRegistry(ControllerDatabases.Of(_queue.Database), new WebhookSecrets(QueueFixture.Options), _time)
            .PutAsync(_queue.Project, "one", new PutWebhook { Url = "http://127.0.0.1:9/", Events = ["failure.digest"] }, Token);
        // Of the day before yesterday's morning on, so that the first is of today.
        await Digests(SmtpOptions.None).RunOnceAsync(Token);
    }

    public ValueTask DisposeAsync() => _queue.DisposeAsync();

    [Fact]
    public async Task A_morning_tells_once_what_failed_in_the_day_before()
    {
        await GroupAsync("It broke.", first: "2026-02-20 10:00", ("2026-03-01 05:00", 9), ("2026-03-01 06:00", 2), ("2026-03-02 05:00", 3), ("2026-03-02 06:00", 50));
        await GroupAsync("Never seen.", first: "2026-03-01 20:00", ("2026-03-01 20:00", 1));
        await GroupAsync("Has ceased.", first: "2026-02-20 10:00", ("2026-02-28 20:00", 4));
        Assert.Equal(0, await Digests(SmtpOptions.None).RunOnceAsync(Token));
        _time.Advance(TimeSpan.FromMinutes(1));
        await Parallel.ForAsync(0, 6, Token, async (_, token) => await Digests(SmtpOptions.None).RunOnceAsync(token));
        Assert.Equal("1", await _queue.ReadAsync("SELECT count(*) FROM webhook_deliveries WHERE type = 'failure.digest'"));
        var digest = System.Text.Json.JsonSerializer.Deserialize((await _queue.ReadAsync("SELECT data FROM webhook_deliveries"))!, Kohakku.Contracts.Json.ContractsJson.Default.FailureDigest)!;
        Assert.Equal((6, 13, 0), (digest.Failures, digest.Before, digest.MoreGroups));
        Assert.Equal(["Never seen. 1 0 True", "It broke. 5 9 False"], digest.Groups.Select(group => $"{group.Title} {group.Failures} {group.Before} {group.IsNew}"));
        Assert.Equal("Kohakku default: 6 failures, 1 new", DigestText.Subject(digest));

        // The next morning is another; one without failures is silent.
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, await Digests(SmtpOptions.None).RunOnceAsync(Token));
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, await Digests(SmtpOptions.None).RunOnceAsync(Token));
        Assert.Equal("2", await _queue.ReadAsync("SELECT count(*) FROM webhook_deliveries WHERE type = 'failure.digest'"));
        Assert.Equal("4", await _queue.ReadAsync("SELECT count(*) FROM failure_digests"));
    }

    [Fact]
    public async Task It_goes_out_by_email_and_is_tried_again_while_the_server_is_away()
    {
        await GroupAsync("It broke.", first: "2026-03-01 20:00", ("2026-03-01 20:00", 3));
        _time.Advance(TimeSpan.FromMinutes(1));
        var port = Ports.Next();
        var smtp = Read($"smtp://127.0.0.1:{port}?from=Kohakku%20<kohakku@example.com>&to=a@example.com,b@example.com");
        await Digests(smtp).RunOnceAsync(Token);
        var emails = new DigestEmails(_queue.Database, smtp, QueueFixture.Options, _time, NullLogger<DigestEmails>.Instance);
        Assert.True(await emails.RunOnceAsync(Token));
        Assert.False(await emails.RunOnceAsync(Token));
        Assert.Equal("t t", await _queue.ReadAsync("SELECT concat_ws(' ', emailed_at IS NULL, email_fault IS NOT NULL) FROM failure_digests WHERE digest IS NOT NULL"));

        var received = new Mailbox();
        using var stopping = new CancellationTokenSource();
        var services = new SmtpServer.ComponentModel.ServiceProvider();
        services.Add(received);
        var server = new SmtpServer.SmtpServer(new SmtpServerOptionsBuilder().ServerName("localhost").Endpoint(end => end.Endpoint(new IPEndPoint(IPAddress.Loopback, port)).AllowUnsecureAuthentication(true)).Build(), services);
        var serving = server.StartAsync(stopping.Token);
        await Eventually.Async(async () =>
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await emails.RunOnceAsync(Token);
            return !received.Messages.IsEmpty;
        });
        Assert.False(await emails.RunOnceAsync(Token));
        await stopping.CancelAsync();
        await serving;

        var message = Assert.Single(received.Messages);
        Assert.Equal("Kohakku default: 3 failures, 1 new", message.Subject);
        Assert.Equal("\"Kohakku\" <kohakku@example.com> to a@example.com, b@example.com", $"{message.From} to {message.To}");
        Assert.StartsWith("digest.2026-03-02.", message.MessageId, StringComparison.Ordinal);
        var text = message.TextBody!.ReplaceLineEndings("\n");
        Assert.Contains("3 failed attempts in project default from 2026-03-01 06:00 UTC to 2026-03-02 06:00 UTC; 0 in the day before.\n", text, StringComparison.Ordinal);
        Assert.Contains("NEW  It broke.\n  agent shell, agentError (agent), open\n", text, StringComparison.Ordinal);
        Assert.Contains("http://localhost/failures/", text, StringComparison.Ordinal);
        Assert.Equal("t t t", await _queue.ReadAsync("SELECT concat_ws(' ', emailed_at IS NOT NULL, email_fault IS NULL, email_due_at IS NULL) FROM failure_digests WHERE digest IS NOT NULL"));
    }

    [Theory]
    [InlineData("smtp://mail.example.com?from=a@example.com&to=b@example.com", "mail.example.com 587 StartTlsWhenAvailable  ")]
    [InlineData("smtps://u%40x:p%3Aw@mail.example.com?from=a@example.com&to=b@example.com", "mail.example.com 465 SslOnConnect u@x p:w")]
    [InlineData("smtp://u:p@mail.example.com:25?from=a@example.com&to=b@example.com", "mail.example.com 25 StartTls u p")]
    public void An_address_says_where_and_how(string url, string expected)
    {
        var smtp = Read(url);
        Assert.Equal(expected, $"{smtp.Host} {smtp.Port} {smtp.Security} {smtp.User} {smtp.Password}");
        Assert.NotEqual(SecureSocketOptions.None, smtp.Security);
    }

    [Theory]
    [InlineData("mail.example.com:25", "is no address")]
    [InlineData("http://mail.example.com", "is no address")]
    [InlineData("smtp://me:topsecret@mail.example.com", "from")]
    [InlineData("smtp://me:topsecret@mail.example.com?from=a@example.com", "to")]
    [InlineData("smtp://me:topsecret@mail.example.com?from=a@example.com&to=b@example.com,@@", "@@")]
    public void What_can_not_be_read_is_said_without_the_password(string url, string part)
    {
        var settings = Settings(url);
        Assert.False(SmtpOptions.Read(settings).IsConfigured);
        var fault = Assert.Single(settings.Faults);
        Assert.StartsWith("SMTP_URL", fault, StringComparison.Ordinal);
        Assert.Contains(part, fault, StringComparison.Ordinal);
        Assert.DoesNotContain("topsecret", fault, StringComparison.Ordinal);
    }

    private static SmtpOptions Read(string url)
    {
        var settings = Settings(url);
        var smtp = SmtpOptions.Read(settings);
        Assert.Empty(settings.Faults);
        return smtp;
    }

    private static SettingsReader Settings(string url) => new(new ConfigurationBuilder().AddInMemoryCollection([new("SMTP_URL", url)]).Build());

    private Digests Digests(SmtpOptions smtp) => new(_queue.Database, smtp, _time);

    private async Task GroupAsync(string title, string first, params (string Hour, int Count)[] hours)
    {
        var id = Guid.CreateVersion7();
        await _queue.ExecuteAsync(
            $"""
            INSERT INTO failure_groups (id, project_id, fingerprint, reason, kind, agent_name, title, status, count, tasks, first_seen, last_seen)
            VALUES ('{id}', '{_queue.Project}', '{id:N}', 'agentError', 'agent', 'shell', '{title}', 'open', {hours.Sum(hour => hour.Count)}, 1, '{first}Z', '{hours[^1].Hour}Z')
            """);
        foreach (var (hour, count) in hours) await _queue.ExecuteAsync($"INSERT INTO failure_hours (group_id, hour, count) VALUES ('{id}', '{hour}Z', {count})");
    }

    private sealed class Mailbox : MessageStore
    {
        public ConcurrentQueue<MimeMessage> Messages { get; } = new();

        public override Task<SmtpResponse> SaveAsync(ISessionContext context, IMessageTransaction transaction, System.Buffers.ReadOnlySequence<byte> buffer, CancellationToken cancellationToken)
        {
            using var bytes = new MemoryStream(System.Buffers.BuffersExtensions.ToArray(buffer));
            Messages.Enqueue(MimeMessage.Load(bytes, CancellationToken.None));
            return Task.FromResult(SmtpResponse.Ok);
        }
    }
}
