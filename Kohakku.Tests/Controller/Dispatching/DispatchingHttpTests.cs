using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.Tests.Controller.Dispatching;

public sealed class DispatchingHttpTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_queued_task_wakes_one_waiting_claim_that_fits()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var host = await DispatchingHost.StartAsync(queue);
        var plain = await host.RegisterAsync("plain");
        var gpu = await host.RegisterAsync("gpu", """{"gpu":"true"}""");
        var waiting = new[] { host.ClaimAsync(plain, wait: 20), host.ClaimAsync(plain, wait: 20), host.ClaimAsync(gpu, wait: 20) };
        await WaitersAsync(host, 3);

        // The two plain ones were there first; the wake passes them by.
        var task = Assert.Single(await queue.SubmitAsync(1, "labels", """'{"gpu":"true"}'"""));
        host.Services.GetRequiredService<ChangeFeed>().PublishQueued(1);
        var (_, answer) = await waiting[2];
        Assert.Equal(task, Assert.Single(answer!.Attempts).TaskId);
        Assert.False(waiting[0].IsCompleted || waiting[1].IsCompleted);

        await queue.SubmitAsync(2);
        host.Services.GetRequiredService<ChangeFeed>().PublishQueued(2);
        foreach (var claim in waiting[..2]) Assert.Single((await claim).Body!.Attempts);
    }

    [Fact]
    public async Task A_claim_without_work_ends_empty_after_its_wait()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var host = await DispatchingHost.StartAsync(queue);
        var (response, answer) = await host.ClaimAsync(await host.RegisterAsync("one"), wait: 1);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Empty(answer!.Attempts);
    }

    [Fact]
    public async Task A_new_registration_fences_the_old_session_and_drains_others_of_its_name()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var host = await DispatchingHost.StartAsync(queue);
        var instance = Guid.NewGuid();
        var first = await host.RegisterAsync("one", instance: instance);
        var second = await host.RegisterAsync("one", instance: instance);
        Assert.Equal(first.Id, second.Id);
        foreach (var response in new[] { (await host.ClaimAsync(first)).Response, (await host.BeatAsync(first)).Response })
            Assert.Equal((HttpStatusCode.Conflict, "session-superseded"), (response.StatusCode, await TypeAsync(response)));

        var newer = await host.RegisterAsync("one");
        Assert.True((await host.BeatAsync(second)).Body!.Drain);
        Assert.False((await host.BeatAsync(newer)).Body!.Drain);
        Assert.Equal(HttpStatusCode.NotFound, (await host.BeatAsync(newer with { Id = Guid.NewGuid() })).Response.StatusCode);
    }

    [Fact]
    public async Task A_heartbeat_renews_leases_and_carries_stops_and_messages()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var host = await DispatchingHost.StartAsync(queue);
        var dispatcher = await host.RegisterAsync("one");
        var tasks = await queue.SubmitAsync(2);
        var orders = (await host.ClaimAsync(dispatcher, slots: 2)).Body!.Attempts;
        await queue.ExpireLeasesAsync();
        var unknown = Guid.NewGuid();

        var (_, quiet) = await host.BeatAsync(dispatcher, orders[0].AttemptId, unknown);
        Assert.Equal([new StopOrder(unknown, "stale")], quiet!.Stop);
        Assert.Equal("1", await queue.ReadAsync("SELECT count(*) FROM attempts WHERE lease_until > clock_timestamp()"));

        using var told = await host.Client.PostAsJsonAsync($"/api/v1/tasks/{orders[0].TaskId}/messages", new { text = "hurry" });
        Assert.Equal(HttpStatusCode.Accepted, told.StatusCode);
        using var canceled = await host.Client.PostAsync($"/api/v1/tasks/{orders[1].TaskId}/cancel", null);
        Assert.Equal(HttpStatusCode.Accepted, canceled.StatusCode);
        Assert.Equal(orders[1].TaskId, (await canceled.Content.ReadFromJsonAsync(ContractsJson.Default.TaskView))!.Id);
        for (var beat = 1; beat <= 4; beat++)
        {
            var (_, answer) = await host.BeatAsync(dispatcher, [.. orders.Select(order => order.AttemptId)]);
            Assert.Equal([new StopOrder(orders[1].AttemptId, "canceled")], answer!.Stop);
            Assert.Equal(beat <= 3 ? ["hurry"] : [], answer.Messages.Select(message => message.Body));
        }

        // Another dispatcher can neither renew them nor hear what is meant for them.
        var other = await host.RegisterAsync("other");
        var (_, foreign) = await host.BeatAsync(other, orders[0].AttemptId);
        Assert.Equal([new StopOrder(orders[0].AttemptId, "stale")], foreign!.Stop);
        Assert.Equal(2, tasks.Count);
    }

    [Fact]
    public async Task Only_genuine_calls_are_taken()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var host = await DispatchingHost.StartAsync(queue);
        var dispatcher = await host.RegisterAsync("one");
        var body = JsonSerializer.SerializeToUtf8Bytes(new CallbackBatch(dispatcher.Session, []), ContractsJson.Default.CallbackBatch);
        var id = Guid.NewGuid().ToString();

        using var genuine = await host.SignAndSendAsync("/api/v1/callbacks", body, id: id);
        Assert.Equal(HttpStatusCode.OK, genuine.StatusCode);
        using var replayed = await host.SignAndSendAsync("/api/v1/callbacks", body, id: id);
        Assert.Equal(await genuine.Content.ReadAsStringAsync(), await replayed.Content.ReadAsStringAsync());
        using var forged = await host.SignAndSendAsync("/api/v1/callbacks", body, key: Encoding.UTF8.GetBytes("another key that is also long enough"));
        using var elsewhere = await host.SignAndSendAsync("/api/v1/callbacks", body, signedPath: $"/api/v1/dispatchers/{dispatcher.Id}/claims");
        using var unsigned = await host.Client.PostAsJsonAsync("/api/v1/callbacks", new { });
        foreach (var refused in new[] { forged, elsewhere, unsigned })
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid-signature"), (refused.StatusCode, await TypeAsync(refused)));
    }

    [Fact]
    public async Task A_whole_life_through_HTTP()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var host = await DispatchingHost.StartAsync(queue);
        var dispatcher = await host.RegisterAsync("one");
        var task = Assert.Single(await queue.SubmitAsync());
        var order = Assert.Single((await host.ClaimAsync(dispatcher)).Body!.Attempts);
        CallbackBatch batch = new(dispatcher.Session, [queue.Event(order.AttemptId, 1, "running", """{"runtimeId":"a"}"""), queue.Event(order.AttemptId, 2, "ended", QueueFixture.Succeeded)]);
        var (_, answer) = await host.SendAsync("/api/v1/callbacks", batch, ContractsJson.Default.CallbackBatch, ContractsJson.Default.CallbackAnswer);
        Assert.Equal([new CallbackResult(order.AttemptId, 2, CallbackOrder.Continue)], answer!.Results);
        Assert.Equal("succeeded", await queue.StatusAsync(task));

        using var tooLate = await host.Client.PostAsync($"/api/v1/tasks/{task}/cancel", null);
        Assert.Equal(HttpStatusCode.Conflict, tooLate.StatusCode);
        Assert.Contains("succeeded", await tooLate.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var retried = await host.Client.PostAsync($"/api/v1/tasks/{task}/retry", null);
        Assert.Equal(HttpStatusCode.OK, retried.StatusCode);
        var view = (await retried.Content.ReadFromJsonAsync(ContractsJson.Default.TaskView))!;
        Assert.Equal((TaskState.Queued, 2, 1), (view.Status, view.Generation, view.Attempts.Count));
        using var again = await host.Client.PostAsync($"/api/v1/tasks/{task}/retry", null);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        Assert.Equal("queued 2", await queue.ReadAsync("SELECT concat_ws(' ', status, generation) FROM tasks"));
        Assert.Equal(2, Assert.Single((await host.ClaimAsync(dispatcher)).Body!.Attempts).Number);
    }

    [Fact]
    public async Task Questions_are_listed_and_answered_once_with_one_of_the_choices()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var host = await DispatchingHost.StartAsync(queue);
        var dispatcher = await host.RegisterAsync("one");
        await queue.SubmitAsync();
        var order = Assert.Single((await host.ClaimAsync(dispatcher)).Body!.Attempts);
        var question = Guid.CreateVersion7();
        await queue.ReportAsync(dispatcher, order.AttemptId, (1, "question", $$"""{"id":"{{question}}","prompt":"Which?","choices":["a","b"],"timeoutSeconds":null}"""));

        var page = await host.Client.GetFromJsonAsync("/api/v1/questions?open=true", ContractsJson.Default.PageQuestionView);
        Assert.Equal((question, "question", "Which?"), page!.Items.Select(item => (item.Id, item.Kind, item.Prompt)).Single());
        foreach (var (answer, status) in new (string?, HttpStatusCode)[] { (null, HttpStatusCode.UnprocessableEntity), ("c", HttpStatusCode.UnprocessableEntity), ("a", HttpStatusCode.OK), ("b", HttpStatusCode.Conflict) })
        {
            using var response = await host.Client.PostAsJsonAsync($"/api/v1/questions/{question}/answer", new AnswerQuestion { Answer = answer }, ContractsJson.Default.AnswerQuestion);
            Assert.Equal(status, response.StatusCode);
        }

        Assert.Empty((await host.Client.GetFromJsonAsync("/api/v1/questions?open=true", ContractsJson.Default.PageQuestionView))!.Items);
        Assert.Equal("a", Assert.Single((await host.BeatAsync(dispatcher, order.AttemptId)).Body!.Messages).Body);
        using var unknown = await host.Client.PostAsJsonAsync($"/api/v1/questions/{Guid.NewGuid()}/answer", new AnswerQuestion { Answer = "a" }, ContractsJson.Default.AnswerQuestion);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Dispatchers_are_shown_drained_and_resumed()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var host = await DispatchingHost.StartAsync(queue);
        var dispatcher = await host.RegisterAsync("one");
        await host.RegisterAsync("two");
        await queue.SubmitAsync();
        using var drained = await host.Client.PostAsync("/api/v1/dispatchers/one/drain", null);
        Assert.Equal(HttpStatusCode.OK, drained.StatusCode);
        Assert.Empty((await host.ClaimAsync(dispatcher)).Body!.Attempts);
        Assert.Equal(DispatcherState.Draining, (await host.Client.GetFromJsonAsync("/api/v1/dispatchers/one", ContractsJson.Default.DispatcherView))!.Status);
        using var resumed = await host.Client.PostAsync("/api/v1/dispatchers/one/resume", null);
        Assert.Single((await host.ClaimAsync(dispatcher)).Body!.Attempts);

        var first = await host.Client.GetFromJsonAsync("/api/v1/dispatchers?limit=1", ContractsJson.Default.PageDispatcherView);
        Assert.Equal(("one", DispatcherState.Online, 1), first!.Items.Select(item => (item.Name, item.Status, item.RunningAttempts)).Single());
        var second = await host.Client.GetFromJsonAsync($"/api/v1/dispatchers?limit=1&cursor={first.NextCursor}", ContractsJson.Default.PageDispatcherView);
        Assert.Equal("two", Assert.Single(second!.Items).Name);
        Assert.Null(second.NextCursor);

        await queue.ExecuteAsync("UPDATE dispatchers SET last_heartbeat_at = now() - interval '20 seconds' WHERE name = 'one'");
        Assert.Equal(DispatcherState.Unreachable, (await host.Client.GetFromJsonAsync("/api/v1/dispatchers/one", ContractsJson.Default.DispatcherView))!.Status);
        Assert.Equal(HttpStatusCode.NotFound, (await host.Client.GetAsync("/api/v1/dispatchers/none")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await host.Client.GetAsync("/api/v1/dispatchers?cursor=!")).StatusCode);
    }

    [Fact]
    public async Task A_wrong_registration_or_claim_is_told_every_fault()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        await using var host = await DispatchingHost.StartAsync(queue);
        var wrong = new RegisterDispatcher("a b", Guid.Empty, "ftp://x", "", "magic", new Dictionary<string, string> { ["x"] = "\u0001" }, 0);
        using var refused = await host.SignAndSendAsync("/api/v1/dispatchers", JsonSerializer.SerializeToUtf8Bytes(wrong, ContractsJson.Default.RegisterDispatcher));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        var errors = (await refused.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("errors").EnumerateObject().Select(error => error.Name);
        Assert.Equal(["name", "instanceId", "url", "version", "runtime", "capacity", "labels.x"], errors);

        var dispatcher = await host.RegisterAsync("one");
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await host.ClaimAsync(dispatcher, slots: 0)).Response.StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await host.ClaimAsync(dispatcher, wait: 61)).Response.StatusCode);
        Assert.Equal("1", await queue.ReadAsync("SELECT count(*) FROM dispatchers"));
    }

    private static async Task WaitersAsync(DispatchingHost host, int count) =>
        await Eventually.Async(() => host.Services.GetRequiredService<Kohakku.Controller.Dispatching.Claiming.ClaimWaiters>().Waiting == count);

    private static async Task<string?> TypeAsync(HttpResponseMessage response) =>
        (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString();
}
