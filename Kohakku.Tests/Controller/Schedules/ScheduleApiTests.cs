using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Kohakku.Tests.Controller.Tasks;

namespace Kohakku.Tests.Controller.Schedules;

public sealed class ScheduleApiTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private readonly string _name = $"s{Guid.NewGuid():N}"[..20];
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_put_makes_a_schedule_with_its_defaults_and_another_replaces_it()
    {
        var made = await PutAsync("""{ "cron": "0 9 * * 1-5", "timeZone": "Europe/Berlin", "target": { "task": { "agent": "noop", "brief": "x" } } }""");
        Assert.Equal(201, made.Status);
        Assert.Equal("skip last 3600 0 True", string.Join(' ', ((string[])["overlap", "catchUp", "catchUpWindowSeconds", "jitterSeconds", "enabled"]).Select(field => made.Body.GetProperty(field).ToString())));
        Assert.NotEqual(JsonValueKind.Null, made.Body.GetProperty("nextAt").ValueKind);
        Assert.Equal(JsonValueKind.Null, made.Body.GetProperty("lastFiring").ValueKind);
        var replaced = await PutAsync("""{ "every": "15m", "overlap": "queue", "enabled": false, "target": { "workflow": "nightly", "inputs": { "a": 1 } } }""");
        Assert.Equal((200, "15m", "queue", JsonValueKind.Null), (replaced.Status, replaced.Body.GetProperty("every").GetString(), replaced.Body.GetProperty("overlap").GetString(), replaced.Body.GetProperty("nextAt").ValueKind));
        var read = await GetAsync("");
        Assert.Equal(made.Body.GetProperty("createdAt").GetString(), read.Body.GetProperty("createdAt").GetString());
        Assert.Contains(_name, (await _controller.SendAsync(HttpMethod.Get, "/api/v1/schedules?limit=200", null, Token)).Text, StringComparison.Ordinal);
        Assert.Equal(204, (await _controller.SendAsync(HttpMethod.Delete, $"/api/v1/schedules/{_name}", null, Token)).Status);
        (await GetAsync("")).IsProblem(404);
        (await _controller.SendAsync(HttpMethod.Delete, $"/api/v1/schedules/{_name}", null, Token)).IsProblem(404);
    }

    [Theory]
    [InlineData("""{ }""", "cron", "target")]
    [InlineData("""{ "cron": "x", "every": "1h", "target": {} }""", "cron", "target")]
    [InlineData("""{ "cron": "99 * * * *", "jitterSeconds": -1, "catchUpWindowSeconds": 9999999, "target": { "task": { }, "workflow": "a" } }""",
        "catchUpWindowSeconds", "cron", "jitterSeconds", "target", "target.task.agent", "target.task.brief")]
    [InlineData("""{ "every": "1h", "timeZone": "Nowhere", "target": { "workflow": "A b", "inputs": 5 } }""", "target.inputs", "target.workflow", "timeZone")]
    [InlineData("""{ "every": "1h", "startAt": "2026-02-01T00:00:00Z", "endAt": "2026-01-01T00:00:00Z", "target": { "workflow": "a" } }""", "endAt")]
    [InlineData("""{ "every": "1h", "target": { "task": { "agent": "noop", "brief": "{{ schedule.time", "inputs": { "a": ["{% nope %}"] } }, "inputs": {} } }""",
        "target.inputs", "target.task.brief", "target.task.inputs.a[0]")]
    public async Task Wrong_fields_are_all_named(string body, params string[] fields)
    {
        (await PutAsync(body)).IsProblem(422, fields);
        (await GetAsync("")).IsProblem(404);
    }

    [Theory]
    [InlineData("""{ "every": "1h", "overlap": "Skip", "target": { "workflow": "a" } }""", "overlap")]
    [InlineData("""{ "every": "1h", "catchUp": "some", "target": { "workflow": "a" } }""", "catchUp")]
    [InlineData("""{ "every": 5, "target": { "workflow": "a" } }""", "every")]
    public async Task What_can_not_be_parsed_is_a_bad_request(string body, string field) => (await PutAsync(body)).IsProblem(400, field);

    [Fact]
    public async Task Its_next_times_are_shown_also_when_it_is_paused()
    {
        await PutAsync("""{ "every": "1h", "target": { "workflow": "nightly" } }""");
        Assert.Equal(10, (await GetAsync("/next")).Body.GetProperty("times").GetArrayLength());
        var paused = await PostAsync("/pause");
        Assert.Equal((false, JsonValueKind.Null), (paused.Body.GetProperty("enabled").GetBoolean(), paused.Body.GetProperty("nextAt").ValueKind));
        var times = (await GetAsync("/next?count=1000")).Body.GetProperty("times").EnumerateArray().Select(time => time.GetDateTimeOffset()).ToArray();
        Assert.Equal(1000, times.Length);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.Equal(TimeSpan.FromHours(1), pair.Second - pair.First));
        (await GetAsync("/next?count=1001")).IsProblem(400, "count");
        Assert.Equal(times[0], (await PostAsync("/resume")).Body.GetProperty("nextAt").GetDateTimeOffset());
    }

    [Fact]
    public async Task A_put_of_the_same_times_keeps_one_that_has_just_passed()
    {
        const string Body = """{ "every": "1h", "target": { "workflow": "nightly" } }""";
        await PutAsync(Body);
        await _controller.ExecuteAsync($"UPDATE schedules SET next_at = '2026-01-01T00:00:00Z' WHERE name = '{_name}'");
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), (await PutAsync(Body)).Body.GetProperty("nextAt").GetDateTimeOffset());
    }

    [Fact]
    public async Task What_somebody_asks_for_becomes_firings_once_for_each_time()
    {
        await PutAsync("""{ "every": "1h", "enabled": false, "target": { "workflow": "nightly" } }""");
        var now = await PostAsync("/trigger");
        Assert.Equal((202, 1), (now.Status, now.Body.GetProperty("times").GetArrayLength()));
        const string Range = """{ "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T03:00:00Z" }""";
        Assert.Equal(4, (await PostAsync("/backfill", Range)).Body.GetProperty("times").GetArrayLength());
        Assert.Equal(0, (await PostAsync("/backfill", Range)).Body.GetProperty("times").GetArrayLength());
        var page = await GetAsync("/firings?limit=3");
        Assert.Equal(3, page.Body.GetProperty("items").GetArrayLength());
        var rest = await GetAsync($"/firings?limit=3&cursor={page.Body.GetProperty("nextCursor").GetString()}");
        Assert.Equal(2, rest.Body.GetProperty("items").GetArrayLength());
        Assert.Equal(["backfill", "backfill", "backfill", "backfill", "manual"],
            page.Body.GetProperty("items").EnumerateArray().Concat(rest.Body.GetProperty("items").EnumerateArray()).Select(firing => firing.GetProperty("cause").GetString()!).Order());
    }

    [Theory]
    [InlineData("""{ }""", "from", "to")]
    [InlineData("""{ "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" }""", "to")]
    [InlineData("""{ "from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z" }""", "to")]
    [InlineData("""{ "from": "2020-01-01T00:00:00Z", "to": "2999-01-01T00:00:00Z" }""", "to")]
    public async Task A_range_that_is_not_right_says_what_is_not(string body, params string[] fields)
    {
        await PutAsync("""{ "every": "1h", "target": { "workflow": "nightly" } }""");
        (await PostAsync("/backfill", body)).IsProblem(422, fields);
    }

    [Fact]
    public async Task Another_project_does_not_see_it()
    {
        await PutAsync("""{ "every": "1h", "target": { "workflow": "nightly" } }""");
        using var other = await _controller.OtherProjectAsync(Token);
        foreach (var path in (string[])["", "/next", "/firings"])
            Assert.Equal(System.Net.HttpStatusCode.NotFound, (await other.GetAsync($"/api/v1/schedules/{_name}{path}", Token)).StatusCode);
        foreach (var act in (string[])["trigger", "pause", "resume"])
            Assert.Equal(System.Net.HttpStatusCode.NotFound, (await other.PostAsync($"/api/v1/schedules/{_name}/{act}", null, Token)).StatusCode);
    }

    private Task<Answer> PutAsync(string json) => _controller.SendAsync(
        HttpMethod.Put, $"/api/v1/schedules/{_name}", new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json")), Token);

    private Task<Answer> GetAsync(string path) => _controller.SendAsync(HttpMethod.Get, $"/api/v1/schedules/{_name}{path}", null, Token);

    private Task<Answer> PostAsync(string path, string json = "{}") => _controller.PostAsync($"/api/v1/schedules/{_name}{path}", json, Token);
}
