using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Kohakku.Tests.Controller.Identity;

namespace Kohakku.Tests.Controller;

public sealed class ApiDocumentationTests(IdentityFixture fixture) : IClassFixture<IdentityFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_API_is_described_for_programs_and_for_people_without_a_token()
    {
        using var client = (await fixture.ControllerAsync()).Client(null);
        var description = await client.GetFromJsonAsync<JsonElement>("/openapi/v1.json", Cancel);
        foreach (var path in (string[])["/api/v1/tasks", "/api/v1/tasks/{id}/cancel", "/api/v1/agents/{name}", "/api/v1/tokens/{id}", "/api/v1/failures/{id}/retry", "/api/v1/triggers/{name}/test", "/api/v1/hooks/{name}"])
            Assert.True(description.GetProperty("paths").TryGetProperty(path, out _), path);
        Assert.Contains("Kohakku API", await client.GetStringAsync("/docs/", Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_body_between_the_processes_has_a_schema()
    {
        using var client = (await fixture.ControllerAsync()).Client(null);
        var list = (await client.GetFromJsonAsync<JsonElement>("/schemas/", Cancel)).GetProperty("schemas").EnumerateArray().Select(path => path.GetString()!).ToList();
        Assert.Contains("/schemas/ClaimAnswer.json", list);
        Assert.Contains("/schemas/AgentEvents.json", list);
        Assert.Contains("/schemas/workflow.json", list);
        foreach (var path in list)
        {
            var schema = await client.GetFromJsonAsync<JsonElement>(path, Cancel);
            // That of the workflow language is written for people.
            Assert.Equal(path == "/schemas/workflow.json" ? "Kohakku workflow" : Path.GetFileNameWithoutExtension(path), schema.GetProperty("title").GetString());
        }

        var ended = await client.GetFromJsonAsync<JsonElement>("/schemas/EndedData.json", Cancel);
        var words = ended.GetProperty("properties").GetProperty("status").GetProperty("enum").EnumerateArray().Select(word => word.GetString());
        Assert.Contains("timedOut", words);
        using var unknown = await client.GetAsync("/schemas/Nothing.json", Cancel);
        Assert.Equal((HttpStatusCode.NotFound, "application/problem+json"), (unknown.StatusCode, unknown.Content.Headers.ContentType?.MediaType));
    }
}
