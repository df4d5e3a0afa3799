using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Controller.Tasks;

public sealed class ArtifactTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_newest_attempt_that_has_a_path_counts_unless_one_is_asked_for()
    {
        var task = await SubmitAsync();
        await AddAsync(task, 1, "a/report.md", "first");
        await AddAsync(task, 1, "only-first.txt", "1");
        await AddAsync(task, 2, "a/report.md", "second");
        var list = await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks/{task}/artifacts", null, Token);
        Assert.Equal(
            ["2 a/report.md", "1 only-first.txt"],
            list.Body.GetProperty("items").EnumerateArray().Select(item => $"{item.GetProperty("attempt")} {item.GetProperty("path").GetString()}"));
        Assert.Equal("second", await _controller.Client.GetStringAsync($"/api/v1/tasks/{task}/artifacts/a/report.md", Token));
        Assert.Equal("first", await _controller.Client.GetStringAsync($"/api/v1/tasks/{task}/artifacts/a/report.md?attempt=1", Token));
        (await _controller.SendAsync(HttpMethod.Get, $"/api/v1/tasks/{task}/artifacts/only-first.txt?attempt=2", null, Token)).IsProblem(404);
    }

    [Theory]
    [InlineData("bytes=0-3", 206, "0123", "bytes 0-3/10")]
    [InlineData("bytes=7-", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-2", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=5-100", 206, "56789", "bytes 5-9/10")]
    [InlineData("bytes=-100", 206, "0123456789", "bytes 0-9/10")]
    [InlineData("bytes=10-", 416, null, "bytes */10")]
    [InlineData("bytes=-0", 416, null, "bytes */10")]
    [InlineData("bytes=0-1,3-4", 200, "0123456789", null)]
    [InlineData("lines=0-1", 200, "0123456789", null)]
    public async Task Ranges_are_served(string range, int status, string? content, string? contentRange)
    {
        var task = await SubmitAsync();
        await AddAsync(task, 1, "digits.txt", "0123456789");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/tasks/{task}/artifacts/digits.txt");
        request.Headers.TryAddWithoutValidation("Range", range);
        using var answer = await _controller.Client.SendAsync(request, Token);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(contentRange, answer.Content.Headers.ContentRange?.ToString());
        if (content is not null) Assert.Equal(content, await answer.Content.ReadAsStringAsync(Token));
        else (await Answer.ReadAsync(answer, Token)).IsProblem(416);
    }

    [Fact]
    public async Task A_file_that_is_known_is_not_sent_again_and_a_part_of_another_version_is_not_sent()
    {
        var task = await SubmitAsync();
        await AddAsync(task, 1, "a.txt", "0123456789");
        var path = $"/api/v1/tasks/{task}/artifacts/a.txt";
        using var first = await _controller.Client.GetAsync(path, Token);
        using var known = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using var again = await _controller.Client.SendAsync(known, Token);
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        using var other = new HttpRequestMessage(HttpMethod.Get, path)
        {
            Headers = { Range = new RangeHeaderValue(0, 1), IfRange = new RangeConditionHeaderValue("\"other\"") },
        };
        using var whole = await _controller.Client.SendAsync(other, Token);
        Assert.Equal(HttpStatusCode.OK, whole.StatusCode);
    }

    [Theory]
    [InlineData("text/plain", "inline")]
    [InlineData("text/markdown; charset=utf-8", "inline")]
    [InlineData("image/png", "inline")]
    [InlineData("text/html", "attachment")]
    [InlineData("image/svg+xml", "attachment")]
    [InlineData("not a type", "attachment")]
    public async Task What_an_agent_made_can_not_act_on_this_origin(string contentType, string disposition)
    {
        var task = await SubmitAsync();
        await AddAsync(task, 1, "ä b.html", "<script>alert(1)</script>", contentType);
        using var answer = await _controller.Client.GetAsync($"/api/v1/tasks/{task}/artifacts/{Uri.EscapeDataString("ä b.html")}", Token);
        answer.EnsureSuccessStatusCode();
        Assert.Equal(disposition, answer.Content.Headers.ContentDisposition?.DispositionType);
        Assert.Equal("ä b.html", answer.Content.Headers.ContentDisposition?.FileNameStar);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.StartsWith("sandbox", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("..%2F..%2Fsecret.txt")]
    [InlineData("%2e%2e/%2e%2e/secret.txt")]
    [InlineData("a%00b")]
    [InlineData("%2Fetc%2Fpasswd")]
    public async Task A_path_that_no_attempt_left_is_not_there_whatever_it_says(string path)
    {
        var task = await SubmitAsync();
        await AddAsync(task, 1, "a.txt", "x");
        await _controller.Storage.PutAsync("secret.txt", "secret"u8.ToArray(), "text/plain", Token);
        using var answer = await _controller.Client.GetAsync($"/api/v1/tasks/{task}/artifacts/{path}", Token);
        Assert.True(answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.BadRequest, $"{answer.StatusCode}");
    }

    [Fact]
    public async Task An_empty_file_and_a_head_request_are_answered()
    {
        var task = await SubmitAsync();
        await AddAsync(task, 1, "empty", "");
        await AddAsync(task, 1, "some", "abc");
        Assert.Equal("", await _controller.Client.GetStringAsync($"/api/v1/tasks/{task}/artifacts/empty", Token));
        using var head = await _controller.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/api/v1/tasks/{task}/artifacts/some"), Token);
        Assert.Equal((HttpStatusCode.OK, 3), (head.StatusCode, head.Content.Headers.ContentLength));
    }

    private async Task<Guid> SubmitAsync() => (await _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell" }, Token)).Id;

    private async Task AddAsync(Guid task, int attempt, string path, string content, string contentType = "text/plain")
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        await _controller.Storage.PutAsync($"artifacts/{task}/{attempt}/{path}", bytes, "application/octet-stream", Token);
        await _controller.ExecuteAsync(
            "INSERT INTO artifacts (task_id, attempt, path, size, sha256, content_type, created_at) VALUES ($1, $2, $3, $4, $5, $6, now())",
            task, attempt, path, (long)bytes.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), contentType);
    }
}
