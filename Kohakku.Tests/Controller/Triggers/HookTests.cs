using System.Text;
using System.Text.Json;
using Kohakku.Contracts.Signing;
using Kohakku.Controller.Triggers.Hooks;
using Kohakku.Tests.Controller.Tasks;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.Tests.Controller.Triggers;

public sealed class HookTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private readonly string _name = $"t{Guid.NewGuid():N}"[..20];
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("push", "{{ event == 'push' and payload.ref == 'refs/heads/main' and payload.deleted == false }}",
        "{{ payload.commits.size }} commits of {{ payload.pusher.name }}: {{ payload.head_commit.message }}", "2 commits of mara-lindqvist: Changelog: altitude")]
    [InlineData("pull_request", "{{ payload.action == 'opened' and payload.pull_request.draft == false }}",
        "#{{ payload.number }} {{ payload.pull_request.head.ref }} → {{ payload.pull_request.base.ref }} by {{ payload.sender.login }}", "#321 descale-litres → main by teo-okafor")]
    [InlineData("issues", "{% if event == 'issues' and payload.action == 'labeled' and payload.label.name == 'agent' %}yes{% endif %}",
        "#{{ payload.issue.number }} {{ payload.issue.title }} [{% for label in payload.issue.labels %}{{ label.name }} {% endfor %}]", "#318 Kettle never stops above 1,200 m [bug agent ]")]
    [InlineData("issue_comment", "{% assign begin = payload.comment.body | slice: 0, 7 %}{{ begin == '/agent ' }}",
        "{{ payload.comment.body | split: '\n' | first | remove_first: '/agent ' | strip }}", "reproduce this with the simulator at 1450 m, please.")]
    public async Task What_github_sends_becomes_a_task(string eventName, string filter, string brief, string expected)
    {
        await PutAsync(filter, $$$"""{ "task": { "agent": "noop", "title": "{{ event }} in {{ payload.repository.full_name }}", "brief": {{{JsonSerializer.Serialize(brief)}}}, "inputs": { "sender": "{{ payload.sender }}" } } }""");
        var answer = await _controller.GithubAsync(_name, eventName, Hooks.Sample(eventName));
        Assert.True(answer.Status == 202, answer.Text);
        var task = await _controller.TaskAsync(answer.Body.GetProperty("taskId").GetGuid(), Token);
        Assert.Equal((expected, $"{eventName} in kite-works/tin-kettle"), (task.Brief, task.Title));
        Assert.Contains("\"login\"", task.Inputs!.Value.GetProperty("sender").GetRawText(), StringComparison.Ordinal);
        Assert.Equal($"trigger {_name}", await _controller.ScalarAsync<string>($"SELECT submitted_by FROM tasks WHERE id = '{task.Id}'"));
        var delivery = Assert.Single(await DeliveriesAsync());
        Assert.Equal(("accepted", eventName, task.Id, "queued"),
            (delivery.GetProperty("result").GetString(), delivery.GetProperty("event").GetString(), delivery.GetProperty("taskId").GetGuid(), delivery.GetProperty("targetStatus").GetString()));
        Assert.InRange(delivery.GetProperty("payload").GetString()!.Length, 1_000, 4_000);
        Assert.False(answer.Body.TryGetProperty("runId", out _));
    }

    [Fact]
    public async Task What_the_filter_does_not_want_and_githubs_ping_begin_nothing()
    {
        await PutAsync("{{ event == 'push' }}");
        var filtered = await _controller.GithubAsync(_name, "pull_request", Hooks.Sample("pull_request"));
        Assert.Equal((200, """{"result":"filtered"}"""), (filtered.Status, filtered.Text));
        await PutAsync(null);
        Assert.Equal("""{"result":"filtered"}""", (await _controller.GithubAsync(_name, "ping", Hooks.Sample("ping"))).Text);
        Assert.Equal(["ping filtered It is GitHub's ping, which begins nothing.", "pull_request filtered The filter came to 'false'."],
            (await DeliveriesAsync()).Select(delivery => $"{delivery.GetProperty("event")} {delivery.GetProperty("result")} {delivery.GetProperty("note")}"));
        Assert.Equal(0L, await TasksAsync());
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("{{ payload.nothing }}", true)]
    [InlineData(" FALSE\n", true)]
    [InlineData("0", true)]
    [InlineData("No", true)]
    [InlineData("{{ payload.a }}", false)]
    [InlineData("00", false)]
    [InlineData("nothing", false)]
    public async Task A_filter_lets_through_all_but_what_says_no(string filter, bool isFiltered)
    {
        await PutAsync(filter);
        Assert.Equal(isFiltered ? 200 : 202, (await _controller.GithubAsync(_name, "push", """{ "a": 1 }"""u8.ToArray())).Status);
    }

    [Fact]
    public async Task A_delivery_sent_again_is_a_duplicate_that_names_the_first()
    {
        // The task reads the clock, so that its text is another the second time.
        await PutAsync(null, """{ "task": { "agent": "noop", "brief": "{{ now }}" } }""");
        var (push, delivery) = (Hooks.Sample("push"), Guid.NewGuid().ToString());
        var first = await _controller.GithubAsync(_name, "push", push, delivery);
        var again = await _controller.GithubAsync(_name, "push", push, delivery);
        Assert.Equal((202, 200), (first.Status, again.Status));
        Assert.Equal(("duplicate", first.Body.GetProperty("taskId").GetGuid()), (again.Body.GetProperty("result").GetString(), again.Body.GetProperty("taskId").GetGuid()));
        Assert.Equal(202, (await _controller.GithubAsync(_name, "push", push)).Status);
        Assert.Equal(2L, await TasksAsync());
        Assert.Equal(["accepted", "duplicate", "accepted"], (await DeliveriesAsync()).Select(row => row.GetProperty("result").GetString()));

        // As if it had crashed between the task and the row that tells of it.
        await _controller.ExecuteAsync($"DELETE FROM trigger_deliveries WHERE trigger_id = (SELECT id FROM triggers WHERE name = '{_name}')");
        Assert.Equal(200, (await _controller.GithubAsync(_name, "push", push, delivery)).Status);
        // Another target is no other delivery.
        await PutAsync(null, """{ "workflow": "nightly" }""");
        Assert.Equal(first.Body.GetProperty("taskId").GetGuid(), (await _controller.GithubAsync(_name, "push", push, delivery)).Body.GetProperty("taskId").GetGuid());
    }

    [Theory]
    [InlineData("""{ "task": { "agent": "noop", "brief": "{{ now }}" } }""", "taskId", "tasks")]
    [InlineData("""{ "task": { "agent": "noop", "brief": "{{ now }}", "concurrencyKey": "c" } }""", "taskId", "tasks")]
    [InlineData("""{ "workflow": "nightly", "inputs": { "night": "{{ now }}" } }""", "runId", "runs")]
    public async Task Twenty_deliveries_at_once_begin_one(string target, string member, string table)
    {
        await PutAsync(null, target, "{{ payload.after }}");
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _controller.GithubAsync(_name, "push", Hooks.Sample("push"))));
        Assert.Equal([.. Enumerable.Repeat(200, 19), 202], answers.Select(answer => answer.Status).Order());
        var id = Assert.Single(answers.Select(answer => answer.Body.GetProperty(member).GetGuid()).Distinct());
        Assert.Equal(id, await _controller.ScalarAsync<Guid>($"SELECT id FROM {table} WHERE submitted_by = 'trigger {_name}'"));
        Assert.Equal(20, (await DeliveriesAsync()).Count);
    }

    [Fact]
    public async Task Without_a_key_each_delivery_begins_its_own()
    {
        await PutAsync(null, dedupeKey: "{{ payload.nothing }}");
        var delivery = Guid.NewGuid().ToString();
        for (var i = 0; i < 2; i++) Assert.Equal(202, (await _controller.GithubAsync(_name, "push", "{}"u8.ToArray(), delivery)).Status);
        Assert.Equal(2L, await TasksAsync());
    }

    [Fact]
    public async Task A_run_of_a_workflow_is_begun_too()
    {
        await PutAsync("yes", """{ "workflow": "nightly", "inputs": { "night": "{{ payload.head_commit.timestamp | date: '%Y-%m-%d' }}" } }""");
        var answer = await _controller.GithubAsync(_name, "push", Hooks.Sample("push"));
        Assert.True(answer.Status == 202, answer.Text);
        var run = answer.Body.GetProperty("runId").GetGuid();
        Assert.Equal("2026-03-18", await _controller.ScalarAsync<string>($"SELECT inputs->>'night' FROM runs WHERE id = '{run}'"));
        Assert.Equal(("accepted", "pending"), Assert.Single((await DeliveriesAsync()).Select(row => (row.GetProperty("result").GetString(), row.GetProperty("targetStatus").GetString()))));
    }

    [Fact]
    public async Task A_form_is_read_and_verified_as_it_was_sent()
    {
        await PutAsync("{{ payload.ref == 'refs/heads/main' }}", """{ "task": { "agent": "noop", "brief": "{{ payload.head_commit.message }}" } }""");
        var form = Encoding.UTF8.GetBytes($"payload={Uri.EscapeDataString(Encoding.UTF8.GetString(Hooks.Sample("push"))).Replace("%20", "+", StringComparison.Ordinal)}");
        var answer = await _controller.GithubAsync(_name, "push", form, type: "application/x-www-form-urlencoded");
        Assert.Equal("Changelog: altitude", (await _controller.TaskAsync(answer.Body.GetProperty("taskId").GetGuid(), Token)).Brief);
    }

    [Fact]
    public async Task Standard_webhooks_are_told_apart_by_their_id()
    {
        await _controller.PutAsync(_name, $$$"""{ "verify": "standard", "secret": "{{{Hooks.StandardSecret}}}", "target": { "task": { "agent": "noop", "brief": "{{ event }} {{ payload.data.id }}" } } }""");
        const string Body = """{ "type": "invoice.paid", "timestamp": "2026-03-18T09:00:00Z", "data": { "id": "in_204" } }""";
        var first = await _controller.StandardAsync(_name, "msg_1", Body, TimeProvider.System.GetUtcNow());
        Assert.Equal("invoice.paid in_204", (await _controller.TaskAsync(first.Body.GetProperty("taskId").GetGuid(), Token)).Brief);
        // A retry is signed anew, and keeps its id.
        Assert.Equal("duplicate", (await _controller.StandardAsync(_name, "msg_1", Body, TimeProvider.System.GetUtcNow().AddSeconds(20))).Body.GetProperty("result").GetString());
        Assert.Equal(202, (await _controller.StandardAsync(_name, "msg_2", Body, TimeProvider.System.GetUtcNow())).Status);
    }

    [Theory]
    [InlineData("Authorization", "Bearer ")]
    [InlineData("X-Kohakku-Token", "")]
    [InlineData("X-Gitlab-Token", "")]
    public async Task A_token_lets_in_by_any_of_its_headers(string header, string prefix)
    {
        await _controller.PutAsync(_name, """{ "verify": "token", "secret": "glpat-0123456789", "target": { "task": { "agent": "noop", "brief": "{{ payload.a }}" } } }""");
        Assert.Equal(202, (await _controller.CallAsync(_name, """{ "a": "b" }"""u8.ToArray(), "application/json", (header, prefix + "glpat-0123456789"))).Status);
        (await _controller.CallAsync(_name, """{ "a": "b" }"""u8.ToArray(), "application/json", (header, prefix + "glpat-012345678"))).IsProblem(401);
        // An admin's token is none of the hook's.
        (await _controller.SendAsync(HttpMethod.Post, $"/api/v1/hooks/{_name}", new StringContent("{}"), Token)).IsProblem(401);
    }

    [Fact]
    public async Task Whoever_is_not_let_in_learns_nothing_and_leaves_no_row()
    {
        await PutAsync(null);
        var standard = $"{_name}-s";
        await _controller.PutAsync(standard, $$"""{ "verify": "standard", "secret": "{{Hooks.StandardSecret}}", "target": { "task": { "agent": "noop", "brief": "x" } } }""");
        var push = Hooks.Sample("push");
        var signature = HookVerification.SignGithub(Hooks.Secret, push);
        Answer[] refused =
        [
            await _controller.GithubAsync(_name, "push", push, secret: "another secret"),
            await _controller.CallAsync(_name, push, "application/json"),
            await _controller.CallAsync(_name, "not json"u8.ToArray(), "application/json", ("X-Hub-Signature-256", signature)),
            await _controller.CallAsync(_name, [.. push, (byte)' '], "application/json", ("X-Hub-Signature-256", signature)),
            await _controller.CallAsync(_name, push, "application/json", ("X-Hub-Signature", signature)),
            await _controller.CallAsync(_name, push, "application/json", ("X-Kohakku-Token", Hooks.Secret)),
            await _controller.GithubAsync("nothing-of-the-name", "push", push),
            await _controller.GithubAsync("No%20name", "push", push),
            await _controller.GithubAsync(standard, "push", push),
            await _controller.StandardAsync(standard, "m", "{}", TimeProvider.System.GetUtcNow().AddSeconds(-310)),
            await _controller.StandardAsync(standard, "m", "{}", TimeProvider.System.GetUtcNow().AddSeconds(310)),
            await _controller.CallAsync(standard, "{}"u8.ToArray(), "application/json", (StandardWebhooks.IdHeader, "m"), (StandardWebhooks.SignatureHeader, "v1,x")),
        ];
        foreach (var answer in refused) answer.IsProblem(401);
        Assert.Single(refused.Select(answer => answer.Text.Replace(answer.Body.GetProperty("traceId").GetString()!, "", StringComparison.Ordinal)).Distinct());
        Assert.Equal(0L, await _controller.ScalarAsync<long>($"SELECT count(*) FROM trigger_deliveries d JOIN triggers t ON t.id = d.trigger_id WHERE t.name LIKE '{_name}%'"));
        Assert.Equal(0L, await TasksAsync());
    }

    [Fact]
    public async Task What_is_too_large_is_not_taken_whoever_sends_it()
    {
        await PutAsync(null);
        var body = Encoding.UTF8.GetBytes($$"""{ "a": "{{new string('x', 1024 * 1024)}}" }""");
        (await _controller.GithubAsync(_name, "push", body)).IsProblem(413);
        (await _controller.GithubAsync("nothing-of-the-name", "push", body)).IsProblem(413);
        var most = Encoding.UTF8.GetBytes($$"""{ "a": "{{new string('x', 1024 * 1024 - 11)}}" }""");
        Assert.Equal((1024 * 1024, 202), (most.Length, (await _controller.GithubAsync(_name, "push", most)).Status));
    }

    [Theory]
    [InlineData("application/json", "not json", "body")]
    [InlineData("application/json", "", "body")]
    [InlineData("application/x-www-form-urlencoded", "a=b", "payload")]
    public async Task What_is_genuine_but_can_not_be_read_says_so(string type, string body, string field)
    {
        await PutAsync(null);
        (await _controller.GithubAsync(_name, "push", Encoding.UTF8.GetBytes(body), type: type)).IsProblem(400, field);
        var delivery = Assert.Single(await DeliveriesAsync());
        Assert.Equal(("failed", true), (delivery.GetProperty("result").GetString(), delivery.GetProperty("note").GetString()!.StartsWith(field, StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("{{ payload.ref | divided_by: 0 }}", null, "filter")]
    [InlineData(null, "{{ payload.ref | divided_by: 0 }}", "dedupeKey")]
    public async Task A_template_that_can_not_be_rendered_says_which(string? filter, string? dedupeKey, string field)
    {
        await PutAsync(filter, dedupeKey: dedupeKey);
        (await _controller.GithubAsync(_name, "push", Hooks.Sample("push"))).IsProblem(422, field);
        Assert.Equal(("failed", "push"), Assert.Single((await DeliveriesAsync()).Select(row => (row.GetProperty("result").GetString(), row.GetProperty("event").GetString()))));
    }

    [Fact]
    public async Task Text_that_postgres_can_not_hold_harms_nothing()
    {
        await PutAsync("{{ payload.a }}", """{ "task": { "agent": "noop", "brief": "x {{ payload.a }}" } }""", "{{ payload.a }}");
        (await _controller.GithubAsync(_name, "push", """{ "a": "b\u0000c" }"""u8.ToArray())).IsProblem(422, "target.task.brief");
        (await _controller.GithubAsync(_name, "push", """{ "a": "b\ud83d" }"""u8.ToArray())).IsProblem(422, "filter");
        Assert.Equal(["failed", "refused"], (await DeliveriesAsync()).Select(row => row.GetProperty("result").GetString()));
    }

    [Fact]
    public async Task Only_the_newest_deliveries_are_kept_and_they_come_in_pages()
    {
        await PutAsync("no");
        await _controller.ExecuteAsync(
            $"""
            INSERT INTO trigger_deliveries (id, trigger_id, at, result)
            SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, t.id, now(), 'filtered' FROM triggers t, generate_series(1, {DeliveryLog.MostKept + 50}) n WHERE t.name = '{_name}'
            """);
        await _controller.GithubAsync(_name, "push", "{}"u8.ToArray());
        Assert.Equal((long)DeliveryLog.MostKept, await _controller.ScalarAsync<long>($"SELECT count(*) FROM trigger_deliveries d JOIN triggers t ON t.id = d.trigger_id WHERE t.name = '{_name}'"));
        var seen = new List<Guid>();
        for (string? cursor = ""; cursor is not null;)
        {
            var page = (await _controller.SendAsync(HttpMethod.Get, $"/api/v1/triggers/{_name}/deliveries?limit=200{(cursor.Length > 0 ? $"&cursor={cursor}" : "")}", null, Token)).Body;
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(row => row.GetProperty("id").GetGuid()));
            cursor = page.GetProperty("nextCursor").GetString();
        }

        Assert.Equal(DeliveryLog.MostKept, seen.Distinct().Count());
        Assert.Equal(seen.OrderDescending(), seen);
        (await _controller.SendAsync(HttpMethod.Get, $"/api/v1/triggers/{_name}/deliveries?cursor=x", null, Token)).IsProblem(400, "cursor");
    }

    [Fact]
    public async Task A_secret_sealed_with_another_key_lets_nobody_in_and_is_asked_for_anew()
    {
        await PutAsync(null);
        await _controller.ExecuteAsync($"UPDATE triggers SET sealed_secret = $1 WHERE name = '{_name}'", new byte[80]);
        (await _controller.GithubAsync(_name, "push", "{}"u8.ToArray())).IsProblem(401);
        (await _controller.PutAsync(_name, """{ "verify": "github", "target": { "task": { "agent": "noop", "brief": "x" } } }""")).IsProblem(422, "secret");
        await PutAsync(null);
        Assert.Equal(202, (await _controller.GithubAsync(_name, "push", "{}"u8.ToArray())).Status);
    }

    [Fact]
    public void The_hook_is_described_as_open() =>
        Assert.NotNull(_controller.Services.GetRequiredService<Microsoft.AspNetCore.Routing.EndpointDataSource>().Endpoints.Single(endpoint => endpoint.DisplayName!.Contains("/hooks/", StringComparison.Ordinal))
            .Metadata.GetMetadata<Microsoft.AspNetCore.Authorization.IAllowAnonymous>());

    private async Task PutAsync(string? filter, string target = """{ "task": { "agent": "noop", "brief": "x" } }""", string? dedupeKey = null)
    {
        var answer = await _controller.PutAsync(_name,
            $$"""{ "verify": "github", "secret": "{{Hooks.Secret}}", "filter": {{JsonSerializer.Serialize(filter)}}, "dedupeKey": {{JsonSerializer.Serialize(dedupeKey)}}, "target": {{target}} }""");
        Assert.True(answer.Status is 200 or 201, answer.Text);
    }

    private async Task<IReadOnlyList<JsonElement>> DeliveriesAsync() =>
        [.. (await _controller.SendAsync(HttpMethod.Get, $"/api/v1/triggers/{_name}/deliveries", null, Token)).Body.GetProperty("items").EnumerateArray()];

    private Task<long> TasksAsync() => _controller.ScalarAsync<long>($"SELECT count(*) FROM tasks WHERE submitted_by = 'trigger {_name}'");
}
