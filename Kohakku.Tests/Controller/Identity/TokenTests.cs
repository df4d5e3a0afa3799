using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Controller.Identity;

public sealed class TokenTests(IdentityFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(null)]
    [InlineData("Bearer wrong")]
    [InlineData("Bearer ")]
    [InlineData("Basic YTpi")]
    public async Task Who_has_no_valid_token_is_told_what_is_needed(string? header)
    {
        using var client = (await fixture.ControllerAsync()).Client(null);
        if (header is not null) client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", header);
        using var answer = await client.GetAsync("/api/v1/tokens", Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("Bearer", Assert.Single(answer.Headers.WwwAuthenticate).Scheme);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal(401, problem.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.GetProperty("traceId").GetString()!);
    }

    [Theory]
    [InlineData(Role.Viewer, HttpStatusCode.OK, HttpStatusCode.Forbidden, HttpStatusCode.Forbidden)]
    [InlineData(Role.Operator, HttpStatusCode.OK, HttpStatusCode.UnprocessableEntity, HttpStatusCode.Forbidden)]
    [InlineData(Role.Admin, HttpStatusCode.OK, HttpStatusCode.UnprocessableEntity, HttpStatusCode.OK)]
    public async Task A_role_includes_those_below_it_and_no_more(Role role, HttpStatusCode reading, HttpStatusCode submittingNothing, HttpStatusCode tokens)
    {
        var controller = await fixture.ControllerAsync();
        using var client = controller.Client((await CreateAsync(controller, new CreateToken { Name = "role", Role = role })).Token);
        Assert.Equal(reading, (await client.GetAsync("/api/v1/tasks", Cancel)).StatusCode);
        Assert.Equal(submittingNothing, (await client.PostAsJsonAsync("/api/v1/tasks", new { }, Cancel)).StatusCode);
        Assert.Equal(tokens, (await client.GetAsync("/api/v1/tokens", Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_refusal_names_the_role_that_is_needed()
    {
        var controller = await fixture.ControllerAsync();
        using var client = controller.Client((await CreateAsync(controller, new CreateToken { Name = "reader", Role = Role.Viewer })).Token);
        var problem = await (await client.GetAsync("/api/v1/tokens", Cancel)).Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal("'reader' is viewer; this needs the role admin.", problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task A_revoked_token_opens_nothing_from_then_on()
    {
        var controller = await fixture.ControllerAsync();
        var token = await CreateAsync(controller, new CreateToken { Name = "short-lived" });
        using var client = controller.Client(token.Token);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/tasks", Cancel)).StatusCode);
        using var admin = controller.AdminClient();
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync($"/api/v1/tokens/{token.Id}", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/v1/tasks", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await admin.DeleteAsync($"/api/v1/tokens/{token.Id}", Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_token_is_shown_once_and_kept_as_a_hash()
    {
        var controller = await fixture.ControllerAsync();
        var token = await CreateAsync(controller, new CreateToken { Name = "once" });
        using var admin = controller.AdminClient();
        Assert.DoesNotContain(token.Token, await admin.GetStringAsync("/api/v1/tokens", Cancel), StringComparison.Ordinal);
        Assert.Equal(0L, await controller.QueryAsync<long>($"SELECT count(*) FROM api_tokens t WHERE t::text LIKE '%{token.Token}%'"));
    }

    [Theory]
    [InlineData("""{ }""", 422, "name")]
    [InlineData("""{ "name": "a\tb" }""", 422, "name")]
    [InlineData("""{ "name": "x", "project": "nowhere" }""", 422, "project")]
    [InlineData("""{ "name": "x", "expiresAt": "2020-01-01T00:00:00Z" }""", 422, "expiresAt")]
    [InlineData("""{ "name": "x", "role": "root" }""", 400, "role")]
    [InlineData("""{ "name": 1 }""", 400, "name")]
    [InlineData("""{ "name": """, 400, "name")]
    public async Task A_token_that_can_not_be_made_says_which_field_is_wrong(string body, int status, string field)
    {
        using var admin = (await fixture.ControllerAsync()).AdminClient();
        using var answer = await admin.PostAsync("/api/v1/tokens", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Cancel);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains(field, (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancel)).GetProperty("errors").EnumerateObject().Select(fault => fault.Name));
    }

    [Fact]
    public async Task Projects_are_apart_but_for_who_runs_the_installation()
    {
        var controller = await fixture.ControllerAsync();
        using var admin = controller.AdminClient();
        var name = $"p-{Guid.NewGuid():N}";
        Assert.Equal(HttpStatusCode.Created, (await admin.PostAsJsonAsync("/api/v1/projects", new { name }, Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await admin.PostAsJsonAsync("/api/v1/projects", new { name }, Cancel)).StatusCode);
        var theirs = await CreateAsync(controller, new CreateToken { Name = "theirs", Project = name, Role = Role.Admin });
        var ours = await CreateAsync(controller, new CreateToken { Name = "ours" });

        using var other = controller.Client(theirs.Token);
        Assert.Equal(HttpStatusCode.NotFound, (await other.DeleteAsync($"/api/v1/tokens/{ours.Id}", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await other.GetAsync("/api/v1/tokens?project=default", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await other.PostAsJsonAsync("/api/v1/tokens", new { name = "x", project = "default" }, Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await other.PostAsJsonAsync("/api/v1/projects", new { name = "mine" }, Cancel)).StatusCode);
        Assert.Equal([name], await NamesAsync(other, "/api/v1/projects"));
        Assert.Equal(["theirs"], await NamesAsync(other, "/api/v1/tokens"));
        Assert.Equal(["theirs"], await NamesAsync(admin, $"/api/v1/tokens?project={name}"));
        Assert.Equal(HttpStatusCode.NoContent, (await admin.DeleteAsync($"/api/v1/tokens/{theirs.Id}", Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_list_is_paged_by_its_cursor_without_gap_or_repeat()
    {
        var controller = await fixture.ControllerAsync();
        using var admin = controller.AdminClient();
        var project = $"paged-{Guid.NewGuid():N}";
        (await admin.PostAsJsonAsync("/api/v1/projects", new { name = project }, Cancel)).EnsureSuccessStatusCode();
        for (var i = 0; i < 5; i++) await CreateAsync(controller, new CreateToken { Name = $"t{i}", Project = project });
        List<string> seen = [];
        string? cursor = null;
        do
        {
            var page = await admin.GetFromJsonAsync<JsonElement>($"/api/v1/tokens?project={project}&limit=2&cursor={cursor}", Cancel);
            seen.AddRange(page.GetProperty("items").EnumerateArray().Select(token => token.GetProperty("name").GetString()!));
            cursor = page.GetProperty("nextCursor").GetString();
        }
        while (cursor is not null);
        Assert.Equal(["t4", "t3", "t2", "t1", "t0"], seen);
        Assert.Equal(HttpStatusCode.BadRequest, (await admin.GetAsync("/api/v1/tokens?cursor=x", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await admin.GetAsync("/api/v1/tokens?limit=0", Cancel)).StatusCode);
    }

    private static async Task<CreatedToken> CreateAsync(ControllerProcess controller, CreateToken request)
    {
        using var admin = controller.AdminClient();
        using var answer = await admin.PostAsJsonAsync("/api/v1/tokens", request, ContractsJson.Default.CreateToken, Cancel);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.CreatedToken, Cancel))!;
    }

    private static async Task<List<string>> NamesAsync(HttpClient client, string path) =>
        [.. (await client.GetFromJsonAsync<JsonElement>(path, Cancel)).GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()!)];
}
