using System.Text;
using System.Text.Json;
using Kohakku.Tests.Controller.Tasks;

namespace Kohakku.Tests.Controller.Webhooks;

/// <summary>Webhooks as a client of the API sees them.</summary>
public sealed class WebhookApiTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private readonly string _name = $"w{Guid.NewGuid():N}"[..20];
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_put_makes_a_webhook_and_shows_its_secret_that_once()
    {
        var made = await PutAsync("""{ "url": "https://example.com/hook", "events": ["task.succeeded", "task.failed", "run.*", "run.*"] }""");
        Assert.Equal(201, made.Status);
        var secret = made.Body.GetProperty("secret").GetString()!;
        Assert.Equal(32, Convert.FromBase64String(secret["whsec_".Length..]).Length);
        Assert.Equal("True 3 null", $"{made.Body.GetProperty("enabled")} {made.Body.GetProperty("events").GetArrayLength()} {made.Body.GetProperty("disabledReason").GetRawText()}");
        var replaced = await PutAsync("""{ "url": "https://example.com/other", "events": ["*"], "enabled": false }""");
        Assert.Equal((200, "https://example.com/other", false), (replaced.Status, replaced.Body.GetProperty("url").GetString(), replaced.Body.GetProperty("enabled").GetBoolean()));
        foreach (var text in new[] { replaced.Text, (await GetAsync("")).Text, (await _controller.SendAsync(HttpMethod.Get, "/api/v1/webhooks?limit=200", null, Token)).Text })
        {
            Assert.Contains(_name, text, StringComparison.Ordinal);
            Assert.DoesNotContain("secret", text, StringComparison.OrdinalIgnoreCase);
        }

        // What is kept of it can't be read.
        var kept = await _controller.ScalarAsync<byte[]>($"SELECT secret FROM webhooks WHERE name = '{_name}'");
        Assert.Equal(-1, kept.AsSpan().IndexOf(Convert.FromBase64String(secret["whsec_".Length..])));
        Assert.Equal(204, (await _controller.SendAsync(HttpMethod.Delete, Path(""), null, Token)).Status);
        (await GetAsync("")).IsProblem(404);
        (await _controller.SendAsync(HttpMethod.Delete, Path(""), null, Token)).IsProblem(404);
    }

    [Theory]
    [InlineData("""{ }""", "events", "url")]
    [InlineData("""{ "url": "", "events": [] }""", "events", "url")]
    [InlineData("""{ "url": "ftp://example.com", "events": ["task.nothing"] }""", "events", "url")]
    [InlineData("""{ "url": "/relative", "events": ["task."] }""", "events", "url")]
    [InlineData("""{ "url": "https://me:secret@example.com", "events": ["Task.failed"] }""", "events", "url")]
    [InlineData("""{ "url": "http://localhost/x", "events": ["*"] }""", "url")]
    [InlineData("""{ "url": "http://10.1.2.3/x", "events": ["*"] }""", "url")]
    [InlineData("""{ "url": "http://[::ffff:192.168.1.1]/x", "events": ["*"] }""", "url")]
    [InlineData("""{ "url": "http://169.254.169.254/latest/meta-data", "events": ["*"] }""", "url")]
    [InlineData("""{ "url": "http://2130706433/", "events": ["*"] }""", "url")]
    public async Task Wrong_fields_are_all_named(string body, params string[] fields)
    {
        (await PutAsync(body)).IsProblem(422, fields);
        (await GetAsync("")).IsProblem(404);
    }

    [Theory]
    [InlineData("""{ "url": 5, "events": ["*"] }""", "url")]
    [InlineData("""{ "url": "https://example.com", "events": "*" }""", "events")]
    public async Task What_can_not_be_parsed_is_a_bad_request(string body, string field) => (await PutAsync(body)).IsProblem(400, field);

    [Fact]
    public async Task Deliveries_are_listed_the_newest_first_page_by_page()
    {
        await PutAsync("""{ "url": "https://example.com/hook", "events": ["*"], "enabled": false }""");
        List<Guid> ids = [];
        for (var i = 0; i < 5; i++)
        {
            var ping = await _controller.PostAsync(Path("/ping"), "", Token);
            Assert.Equal((202, "pending"), (ping.Status, ping.Body.GetProperty("status").GetString()));
            ids.Add(ping.Id);
        }

        List<Guid> listed = [];
        string? cursor = null;
        do
        {
            var page = await GetAsync($"/deliveries?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");
            listed.AddRange(page.Body.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetGuid()));
            cursor = page.Body.GetProperty("nextCursor").GetString();
        }
        while (cursor is not null);
        Assert.Equal(ids.OrderByDescending(id => id.ToString(), StringComparer.Ordinal), listed);
        Assert.Equal("webhook.ping", (await GetAsync($"/deliveries/{ids[0]}")).Body.GetProperty("body").GetProperty("type").GetString());
        (await GetAsync($"/deliveries/{Guid.NewGuid()}")).IsProblem(404);
        (await _controller.PostAsync(Path($"/deliveries/{Guid.NewGuid()}/replay"), "", Token)).IsProblem(404);
        (await GetAsync("/deliveries?cursor=nonsense")).IsProblem(400, "cursor");
        (await _controller.SendAsync(HttpMethod.Get, "/api/v1/webhooks/nobody/deliveries", null, Token)).IsProblem(404);
        (await _controller.PostAsync("/api/v1/webhooks/nobody/ping", "", Token)).IsProblem(404);
        (await _controller.PostAsync("/api/v1/webhooks/nobody/rotate-secret", "", Token)).IsProblem(404);
    }

    [Fact]
    public async Task Another_project_has_its_own()
    {
        await PutAsync("""{ "url": "https://example.com/hook", "events": ["*"] }""");
        using var other = await _controller.OtherProjectAsync(Token);
        (await Answer.ReadAsync(await other.GetAsync(Path(""), Token), Token)).IsProblem(404);
        (await Answer.ReadAsync(await other.GetAsync(Path("/deliveries"), Token), Token)).IsProblem(404);
        (await Answer.ReadAsync(await other.PostAsync(Path("/ping"), null, Token), Token)).IsProblem(404);
    }

    private string Path(string rest) => $"/api/v1/webhooks/{_name}{rest}";

    private Task<Answer> PutAsync(string body) => _controller.SendAsync(HttpMethod.Put, Path(""), new StringContent(body, Encoding.UTF8, "application/json"), Token);

    private Task<Answer> GetAsync(string rest) => _controller.SendAsync(HttpMethod.Get, Path(rest), null, Token);
}
