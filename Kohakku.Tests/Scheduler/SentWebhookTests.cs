using System.Text;
using Kohakku.Contracts.Signing;
using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Webhooks;
using Kohakku.Tests.Controller.Data;
using Kohakku.Tests.Controller.Dispatching;
using Kohakku.Tests.Controller.Webhooks;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Scheduler;

/// <summary>Deliveries by the scheduler as it ships.</summary>
public sealed class SentWebhookTests(PostgresFixture postgres)
{
    [Fact]
    public async Task What_happens_arrives_though_schedulers_are_killed_and_receivers_fail_at_first()
    {
        const int Tasks = 60;
        var token = TestContext.Current.CancellationToken;
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var receiver = await WebhookReceiver.StartAsync();
        // Each is refused once.
        System.Collections.Concurrent.ConcurrentDictionary<string, bool> seen = new();
        receiver.Answer = (context, received) =>
        {
            context.Response.StatusCode = seen.TryAdd(received.Id, true) ? 503 : 204;
            return Task.CompletedTask;
        };
        var registry = new WebhookRegistry(ControllerDatabases.Of(queue.Database), new WebhookSecrets(QueueFixture.Options), TimeProvider.System);
        var secret = await registry.PutAsync(queue.Project, "one", new PutWebhook { Url = receiver.Url, Events = ["task.succeeded"] }, token);
        (string, string)[] settings = [("WEBHOOKS_ALLOW_PRIVATE", "true"), ("KOHAKKU_SECRET_KEY", Encoding.UTF8.GetString(QueueFixture.Options.SecretKey))];
        ProgramProcess[] running = [Schedulers.Start(queue.ConnectionString, settings), Schedulers.Start(queue.ConnectionString, settings)];
        try
        {
            await queue.SubmitAsync(Tasks);
            var dispatcher = await queue.DispatcherAsync();
            foreach (var order in await queue.ClaimAsync(dispatcher, Tasks)) await queue.ReportAsync(dispatcher, order.AttemptId, (1, "ended", QueueFixture.Succeeded));
            await Eventually.Async(() => receiver.Deliveries.Count >= Tasks / 2, TimeSpan.FromMinutes(2), $"half have come; {running[0]} {running[1]}");
            await running[0].KillAsync();
            await Eventually.Async(
                async () => await queue.ReadAsync("SELECT count(*) FROM webhook_deliveries WHERE status = 'delivered'") == $"{Tasks}", TimeSpan.FromMinutes(3), $"all are delivered; {running[1]}");
        }
        finally
        {
            foreach (var scheduler in running) await scheduler.DisposeAsync();
        }

        Assert.Equal(Tasks, receiver.Deliveries.Select(received => received.Event.Data.GetProperty("taskId").GetGuid()).Distinct().Count());
        Assert.All(receiver.Deliveries, received => Assert.Equal(SignatureVerdict.Valid, received.Verify(TimeProvider.System.GetUtcNow(), secret!)));
    }
}
