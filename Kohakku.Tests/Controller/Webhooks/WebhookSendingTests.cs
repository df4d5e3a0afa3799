using Kohakku.Contracts.Signing;
using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Webhooks;
using Kohakku.Controller.Webhooks.Sending;
using Kohakku.Tests.Controller.Tasks;
using Kohakku.Tests.Fixtures;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Kohakku.Tests.Controller.Webhooks;

/// <summary>What becomes of deliveries, on a real database and real HTTP; the clock is the test's.</summary>
public sealed class WebhookSendingTests(PostgresFixture postgres, ObjectStorageFixture storage) : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private RunningController _controller = null!;
    private WebhookReceiver _receiver = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _controller = await RunningController.StartAsync(postgres, storage, _time, Token, ("WEBHOOKS_ALLOW_PRIVATE", "true"));
        _receiver = await WebhookReceiver.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        await _controller.DisposeAsync();
    }

    [Fact]
    public async Task An_event_arrives_once_as_a_signed_cloud_event()
    {
        var secret = await PutAsync("one");
        var id = await PingAsync("one");
        Assert.Equal(1, await RoundAsync());
        Assert.Equal(0, await RoundAsync());
        var received = Assert.Single(_receiver.Deliveries);
        Assert.Equal((id.ToString(), "application/cloudevents+json; charset=utf-8"), (received.Id, received.ContentType));
        Assert.Equal(SignatureVerdict.Valid, received.Verify(_time.GetUtcNow(), secret));
        Assert.Equal(SignatureVerdict.Forged, received.Verify(_time.GetUtcNow(), "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
        Assert.Equal(
            ("1.0", id, "webhook.ping", "webhooks/one", _time.GetUtcNow(), "application/json", "default", "It works."),
            (received.Event.SpecVersion, received.Event.Id, received.Event.Type, received.Event.Subject, received.Event.Time, received.Event.DataContentType, received.Event.Project,
                received.Event.Data.GetProperty("message").GetString()));
        var delivery = await DeliveryAsync("one", id);
        Assert.Equal((DeliveryState.Delivered, 204, null), (delivery.Status, Assert.Single(delivery.Attempts).Status, delivery.NextAttemptAt));
    }

    [Fact]
    public async Task A_new_secret_signs_with_the_one_before_it_for_a_day()
    {
        var before = await PutAsync("one");
        var after = (await _controller.PostAsync("/api/v1/webhooks/one/rotate-secret", "", Token)).Body.GetProperty("secret").GetString()!;
        Assert.NotEqual(before, after);
        await PingAsync("one");
        await RoundAsync();
        _time.Advance(WebhookRegistry.Overlap);
        await PingAsync("one");
        await RoundAsync();
        var (during, later) = (_receiver.Deliveries.First(), _receiver.Deliveries.Last());
        var sent = _time.GetUtcNow() - WebhookRegistry.Overlap;
        Assert.Equal((SignatureVerdict.Valid, SignatureVerdict.Valid), (during.Verify(sent, before), during.Verify(sent, after)));
        Assert.Equal((SignatureVerdict.Forged, SignatureVerdict.Valid), (later.Verify(_time.GetUtcNow(), before), later.Verify(_time.GetUtcNow(), after)));
    }

    [Fact]
    public async Task What_fails_is_tried_again_ever_later_for_a_day_and_then_given_up()
    {
        await PutAsync("one");
        _receiver.AnswerWith(500, "We are\0 sorry.");
        var id = await PingAsync("one");
        var started = _time.GetUtcNow();
        Assert.Equal(1, await RoundAsync());
        var pause = TimeSpan.Zero;
        DeliveryView delivery;
        while ((delivery = await DeliveryAsync("one", id)).Status == DeliveryState.Pending)
        {
            var next = delivery.NextAttemptAt!.Value - _time.GetUtcNow();
            Assert.True(next > pause * 0.8, $"{next} after {pause}");
            pause = next;
            _time.Advance(next - TimeSpan.FromMilliseconds(1));
            Assert.Equal(0, await RoundAsync());
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(1, await RoundAsync());
        }

        Assert.Equal((DeliveryState.Failed, 11, 11), (delivery.Status, delivery.Attempts.Count, _receiver.Deliveries.Count));
        Assert.Equal((500, "We are sorry."), (delivery.Attempts[0].Status, delivery.Attempts[0].Fault));
        Assert.InRange(_time.GetUtcNow() - started, TimeSpan.FromHours(21), TimeSpan.FromHours(27));
        Assert.Single(_receiver.Deliveries.Select(received => received.Id).Distinct());
        Assert.Equal(started, (await FindAsync("one")).FailingSince);

        // Asked for again it has all its tries anew, and what goes well ends the failing.
        _receiver.AnswerWith(200);
        Assert.Equal(202, (await _controller.PostAsync($"/api/v1/webhooks/one/deliveries/{id}/replay", "", Token)).Status);
        Assert.Equal(1, await RoundAsync());
        delivery = await DeliveryAsync("one", id);
        Assert.Equal((DeliveryState.Delivered, 12, null), (delivery.Status, delivery.Attempts.Count, (await FindAsync("one")).FailingSince));
    }

    [Theory]
    [InlineData("60", 60)]
    [InlineData("Sun, 01 Mar 2026 12:00:40 GMT", 40)]
    [InlineData("86400", 3600)]
    [InlineData("1", 5)]
    public async Task A_receiver_may_ask_for_time(string retryAfter, int seconds)
    {
        await PutAsync("one");
        _receiver.AnswerWith(429, retryAfter: retryAfter);
        var id = await PingAsync("one");
        await RoundAsync();
        var pause = (await DeliveryAsync("one", id)).NextAttemptAt!.Value - _time.GetUtcNow();
        Assert.InRange(pause.TotalSeconds, seconds * 0.89, seconds * 1.11);
    }

    [Fact]
    public async Task Gone_disables_the_webhook_and_leaves_out_what_still_waits()
    {
        await PutAsync("one");
        _receiver.AnswerWith(410);
        var first = await PingAsync("one");
        _time.Advance(TimeSpan.FromSeconds(1));
        List<Guid> rest = [];
        for (var i = 0; i < 2 * WebhookSending.OfOne; i++) rest.Add(await PingAsync("one"));
        Assert.Equal(WebhookSending.OfOne, await RoundAsync());
        var webhook = await FindAsync("one");
        Assert.Equal((false, 0), (webhook.Enabled, webhook.Pending));
        Assert.Contains("410", webhook.DisabledReason, StringComparison.Ordinal);
        Assert.Equal(DeliveryState.Failed, (await DeliveryAsync("one", first)).Status);
        Assert.Equal(DeliveryState.Canceled, (await DeliveryAsync("one", rest[^1])).Status);
        Assert.Equal(0, await RoundAsync());
        // Putting it again enables it.
        _receiver.AnswerWith(200);
        await PutAsync("one");
        await PingAsync("one");
        Assert.Equal(1, await RoundAsync());
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_holds_up_nobody_else()
    {
        var release = new TaskCompletionSource();
        _receiver.Answer = async (context, received) =>
        {
            if (received.Path == "/slow") await release.Task.WaitAsync(context.RequestAborted);
        };
        await PutAsync("slow", path: "/slow");
        await PutAsync("fast", path: "/fast");
        for (var i = 0; i < 30; i++)
        {
            await PingAsync("slow");
            await PingAsync("fast");
        }

        var sending = _controller.Services.GetRequiredService<WebhookSending>();
        await Eventually.Async(async () =>
        {
            await sending.BeginAsync(Token);
            return (await FindAsync("fast")).Pending == 0;
        });
        // Of the slow one only so many are on their way as one may have.
        Assert.InRange(_receiver.Deliveries.Count(received => received.Path == "/slow"), 1, 2 * WebhookSending.OfOne);
        Assert.Equal(30, (await FindAsync("slow")).Pending);
        release.SetResult();
        await Eventually.Async(async () =>
        {
            await sending.BeginAsync(Token);
            return (await FindAsync("slow")).Pending == 0;
        });
        Assert.Equal(60, _receiver.Deliveries.Select(received => received.Id).Distinct().Count());
    }

    [Fact]
    public async Task What_a_sender_had_in_hand_when_it_died_another_sends()
    {
        await PutAsync("one");
        var id = await PingAsync("one");
        // It took it and is never heard of again.
        using var died = new CancellationTokenSource();
        _receiver.Answer = async (context, _) =>
        {
            await died.CancelAsync();
            context.Abort();
        };
        using var attempts = Attempts(allowPrivate: true);
        using var other = Sending(attempts);
        Assert.Equal(1, await other.BeginAsync(died.Token));
        await other.EndAsync();
        _receiver.AnswerWith(200);
        Assert.Equal(0, await RoundAsync());
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, await RoundAsync());
        Assert.Equal(DeliveryState.Delivered, (await DeliveryAsync("one", id)).Status);
    }

    [Fact]
    public async Task Many_senders_send_each_once()
    {
        await PutAsync("one");
        await PutAsync("two");
        for (var i = 0; i < 40; i++)
        {
            await PingAsync("one");
            await PingAsync("two");
        }

        await Parallel.ForAsync(0, 4, Token, async (_, token) =>
        {
            using var attempts = Attempts(allowPrivate: true);
            using var sending = Sending(attempts);
            while (await _controller.ScalarAsync<long>("SELECT count(*) FROM webhook_deliveries WHERE status = 'pending'") > 0)
            {
                await sending.BeginAsync(token);
                await sending.EndAsync();
            }
        });
        Assert.Equal(80, _receiver.Deliveries.Count);
        Assert.Equal(80, _receiver.Deliveries.Select(received => received.Id).Distinct().Count());
    }

    [Fact]
    public async Task A_name_that_leads_to_a_private_address_is_refused_when_it_is_connected_to()
    {
        await PutAsync("one", url: new UriBuilder(_receiver.Url) { Host = "localhost" }.ToString());
        var id = await PingAsync("one");
        using var attempts = Attempts(allowPrivate: false);
        using var sending = Sending(attempts);
        Assert.Equal(1, await sending.BeginAsync(Token));
        await sending.EndAsync();
        Assert.Empty(_receiver.Deliveries);
        var delivery = await DeliveryAsync("one", id);
        Assert.Equal(DeliveryState.Failed, delivery.Status);
        Assert.Contains("WEBHOOKS_ALLOW_PRIVATE", Assert.Single(delivery.Attempts).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_there_is_told_as_what_it_is_and_tried_again()
    {
        await PutAsync("one", url: "http://127.0.0.1:9/nobody");
        var id = await PingAsync("one");
        await RoundAsync();
        var delivery = await DeliveryAsync("one", id);
        var attempt = Assert.Single(delivery.Attempts);
        Assert.Equal((DeliveryState.Pending, null), (delivery.Status, attempt.Status));
        Assert.Contains("127.0.0.1:9", attempt.Fault, StringComparison.Ordinal);
    }

    private DeliveryAttempts Attempts(bool allowPrivate) => ActivatorUtilities.CreateInstance<DeliveryAttempts>(_controller.Services, new WebhookOptions(allowPrivate));

    private WebhookSending Sending(DeliveryAttempts attempts) => new(
        _controller.Database, attempts, _controller.Services.GetRequiredService<WebhookMetrics>(), _time, NullLogger<WebhookSending>.Instance);

    private async Task<int> RoundAsync()
    {
        var sending = _controller.Services.GetRequiredService<WebhookSending>();
        var taken = await sending.BeginAsync(Token);
        await sending.EndAsync();
        return taken;
    }

    /// <summary>Answers its secret, where it is new.</summary>
    private async Task<string> PutAsync(string name, string path = "/", string? url = null)
    {
        var answer = await _controller.SendAsync(
            HttpMethod.Put, $"/api/v1/webhooks/{name}", System.Net.Http.Json.JsonContent.Create(new { url = url ?? _receiver.Url + path, events = new[] { "task.*" } }), Token);
        Assert.True(answer.Status is 200 or 201, answer.Text);
        return answer.Status == 201 ? answer.Body.GetProperty("secret").GetString()! : "";
    }

    private async Task<Guid> PingAsync(string name) => (await _controller.PostAsync($"/api/v1/webhooks/{name}/ping", "", Token)).Id;

    private async Task<WebhookView> FindAsync(string name) =>
        (await _controller.Services.GetRequiredService<WebhookQueries>().FindAsync(await ProjectAsync(), name, Token))!;

    private async Task<DeliveryView> DeliveryAsync(string name, Guid id) =>
        (await _controller.Services.GetRequiredService<WebhookQueries>().DeliveryAsync(await ProjectAsync(), name, id, Token))!;

    private Task<Guid> ProjectAsync() => _controller.ScalarAsync<Guid>("SELECT id FROM projects WHERE name = 'default'");
}
