using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Controller.Identity;

public sealed class SessionTests(IdentityFixture fixture, PostgresFixture postgres) : IClassFixture<IdentityFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Looking_at_a_login_link_does_not_use_it_up_but_logging_in_does()
    {
        var controller = await fixture.ControllerAsync();
        var link = await controller.LoginLinkAsync();
        using var client = controller.Client(null);
        for (var i = 0; i < 2; i++)
        {
            using var preview = await client.GetAsync(link, Cancel);
            Assert.Equal(HttpStatusCode.OK, preview.StatusCode);
            Assert.True(preview.Headers.CacheControl?.NoStore);
        }
        using (var first = await LoginAsync(client, link))
        {
            Assert.Equal(HttpStatusCode.Found, first.StatusCode);
            Assert.Equal("/", first.Headers.Location?.ToString());
        }
        using var second = await LoginAsync(client, link);
        Assert.Equal(HttpStatusCode.Forbidden, second.StatusCode);
        Assert.False(second.Headers.Contains("Set-Cookie"));
        Assert.Contains("make login", await second.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_who_use_one_link_at_once_one_gets_in()
    {
        var controller = await fixture.ControllerAsync();
        var link = await controller.LoginLinkAsync();
        using var client = controller.Client(null);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => LoginAsync(client, link)));
        Assert.Single(answers, answer => answer.StatusCode == HttpStatusCode.Found);
        foreach (var answer in answers) answer.Dispose();
    }

    [Fact]
    public async Task An_expired_link_opens_nothing()
    {
        var controller = await fixture.ControllerAsync();
        var link = await controller.LoginLinkAsync();
        await controller.QueryAsync<object>("UPDATE login_links SET expires_at = now() - interval '1 second' WHERE used_at IS NULL");
        using var client = controller.Client(null);
        using var answer = await LoginAsync(client, link);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("https://evil.example/")]
    [InlineData("/\\evil.example")]
    public async Task A_link_leads_nowhere_but_here(string returnUrl)
    {
        var controller = await fixture.ControllerAsync();
        using var client = controller.Client(null);
        using var answer = await LoginAsync(client, await controller.LoginLinkAsync(), returnUrl);
        Assert.Equal("/", answer.Headers.Location?.ToString());
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "same-origin", true)]
    [InlineData("Sec-Fetch-Site", "same-site", false)]
    [InlineData("Sec-Fetch-Site", "cross-site", false)]
    [InlineData("Origin", "own", true)]
    [InlineData("Origin", "http://127.0.0.1:1", false)]
    [InlineData("Origin", "null", false)]
    [InlineData("X-Nothing", "at all", false)]
    public async Task A_session_changes_things_only_from_our_own_pages(string header, string value, bool isAllowed)
    {
        var controller = await fixture.ControllerAsync();
        using var client = controller.Client(null);
        client.DefaultRequestHeaders.Add("Cookie", await SessionAsync(controller));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/tokens", Cancel)).StatusCode);

        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tokens") { Content = JsonContent.Create(new { name = "from-a-page" }) };
        request.Headers.Add(header, value == "own" ? controller.Url.ToString().TrimEnd('/') : value);
        using var answer = await client.SendAsync(request, Cancel);
        Assert.Equal(isAllowed ? HttpStatusCode.Created : HttpStatusCode.Forbidden, answer.StatusCode);
        if (!isAllowed) Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_page_of_another_port_can_not_open_the_consoles_web_socket()
    {
        var controller = await fixture.ControllerAsync();
        using var client = controller.Client(null);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/_blazor");
        request.Headers.Add("Cookie", await SessionAsync(controller));
        request.Headers.Add("Connection", "Upgrade");
        request.Headers.Add("Upgrade", "websocket");
        request.Headers.Add("Sec-WebSocket-Version", "13");
        request.Headers.Add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        request.Headers.Add("Origin", "http://127.0.0.1:3000");
        // Its body may be cut short: the server closes a connection that it did not upgrade.
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task Without_a_session_a_page_leads_to_the_login_and_the_api_says_401()
    {
        using var client = (await fixture.ControllerAsync()).Client(null);
        client.DefaultRequestHeaders.Add("Accept", "text/html");
        using var page = await client.GetAsync("/tasks/new", Cancel);
        Assert.Equal(HttpStatusCode.Found, page.StatusCode);
        Assert.EndsWith("/login?returnUrl=%2Ftasks%2Fnew", page.Headers.Location!.ToString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/v1/tasks", Cancel)).StatusCode);
    }

    [Fact]
    public async Task Sessions_outlive_the_controller_and_their_keys_lie_encrypted_in_its_database()
    {
        await using var controller = await ControllerProcess.StartNewAsync(postgres);
        var session = await SessionAsync(controller);
        await controller.StopAsync();
        await controller.StartAsync();
        using var client = controller.Client(null);
        client.DefaultRequestHeaders.Add("Cookie", session);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/tokens", Cancel)).StatusCode);
        var key = await controller.QueryAsync<string>("SELECT xml FROM session_keys LIMIT 1");
        Assert.Contains("encryptedKey", key, StringComparison.Ordinal);
        Assert.DoesNotContain("<masterKey", key, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logging_out_needs_the_consoles_own_form()
    {
        var controller = await fixture.ControllerAsync();
        using var client = controller.Client(null);
        client.DefaultRequestHeaders.Add("Cookie", await SessionAsync(controller));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/logout") { Content = new FormUrlEncodedContent([]) };
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var answer = await client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_name_that_is_not_ours_is_refused()
    {
        using var client = (await fixture.ControllerAsync()).AdminClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/tokens");
        request.Headers.Host = "rebound.example";
        using var answer = await client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.True((await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("errors").TryGetProperty("Host", out _));
    }

    private static async Task<string> SessionAsync(ControllerProcess controller)
    {
        using var client = controller.Client(null);
        using var answer = await LoginAsync(client, await controller.LoginLinkAsync());
        Assert.Equal(HttpStatusCode.Found, answer.StatusCode);
        return answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    private static Task<HttpResponseMessage> LoginAsync(HttpClient client, Uri link, string? returnUrl = null) => client.PostAsync(
        "/login",
        new FormUrlEncodedContent(new Dictionary<string, string> { ["token"] = link.Query["?token=".Length..], ["returnUrl"] = returnUrl ?? "" }),
        Cancel);
}
