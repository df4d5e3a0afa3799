using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Kohakku.Tests.ServiceDefaults;

public sealed class ProblemTests : IAsyncLifetime
{
    private TestService _service = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _service = await TestService.StartAsync(new Dictionary<string, string?>(), _ => { }, Map);

    public ValueTask DisposeAsync() => _service.DisposeAsync();

    [Theory]
    [InlineData("GET", "/nowhere", 404, "not-found")]
    [InlineData("PUT", "/tasks", 405, "method-not-allowed")]
    [InlineData("GET", "/broken", 500, "internal-error")]
    [InlineData("GET", "/database-away", 503, "unavailable")]
    [InlineData("GET", "/storage-away", 503, "unavailable")]
    [InlineData("GET", "/conflict", 409, "conflict")]
    [InlineData("GET", "/bare/401", 401, "unauthorized")]
    [InlineData("GET", "/bare/403", 403, "forbidden")]
    public async Task Every_error_is_a_problem_of_its_type(string method, string path, int status, string type)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        // What a client says it accepts does not take the reason from it.
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/plain"));
        using var answer = await _service.Client.SendAsync(request, Cancellation);
        var problem = await ReadAsync(answer, status);
        Assert.Equal(type, problem.GetProperty("type").GetString());
        Assert.DoesNotContain("secret", problem.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/tasks", "{bad", "$", "is not valid JSON")]
    [InlineData("/tasks", "", "$", "is required")]
    [InlineData("/tasks", "null", "$", "is required")]
    [InlineData("/tasks", "[]", "$", "must be an object")]
    [InlineData("/tasks", """{"brief": "a" """, "$", "is not valid JSON")]
    [InlineData("/tasks", """{"priority": "high"}""", "priority", "must be a number")]
    [InlineData("/tasks", """{"priority": 99999999999}""", "priority", "must be a whole number in range")]
    [InlineData("/tasks", """{"labels": {"gpu": 1}}""", "labels.gpu", "must be text")]
    [InlineData("/tasks", """{"skills": "git"}""", "skills", "must be a list")]
    [InlineData("/tasks", """{"labels": []}""", "labels", "must be an object")]
    [InlineData("/tasks", """{"needs": ["x"]}""", "needs[0]", "must be a UUID")]
    [InlineData("/tasks", """{"notBefore": "soon"}""", "notBefore", "must be a time by RFC 3339")]
    [InlineData("/tasks", """{"onLost": "Retry"}""", "onLost", "must be one of retry, ask")]
    [InlineData("/tasks", """{"brief": "a", "brief": "b"}""", "brief", "is given twice")]
    [InlineData("/batch", """{"tasks": [{}, {"agent": 5}]}""", "tasks[1].agent", "must be text")]
    [InlineData("/callbacks", """{"events": []}""", "session", "is required")]
    [InlineData("/callbacks", """{"session": "0190b0f0-0000-7000-8000-000000000000", "events": null}""", "events", "must not be null")]
    public async Task Json_that_cannot_be_read_is_a_400_that_names_the_field_and_the_rule(string path, string body, string field, string rule)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await _service.Client.PostAsync(new Uri(path, UriKind.Relative), content, Cancellation);
        var problem = await ReadAsync(answer, 400);
        Assert.StartsWith(rule, problem.GetProperty("errors").GetProperty(field)[0].GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("System.", problem.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Kohakku.", problem.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/items", "is required")]
    [InlineData("/items?limit=ten", "is 'ten' but must be a whole number in range")]
    public async Task A_query_that_cannot_be_read_is_a_400_that_names_the_parameter(string path, string rule)
    {
        using var answer = await _service.Client.GetAsync(path, Cancellation);
        Assert.Equal(rule, (await ReadAsync(answer, 400)).GetProperty("errors").GetProperty("limit")[0].GetString());
    }

    [Fact]
    public async Task A_body_of_another_type_is_a_415_and_one_that_is_too_large_a_413()
    {
        using var text = new StringContent("brief", Encoding.UTF8, "text/plain");
        using var wrongType = await _service.Client.PostAsync("/tasks", text, Cancellation);
        await ReadAsync(wrongType, 415);
        using var large = new StringContent($$"""{"brief": "{{new string('x', 33 * 1024 * 1024)}}"}""", Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "/tasks") { Content = large };
        // Else the server's answer may come while the body is still on its way, and be lost with the connection.
        request.Headers.ExpectContinue = true;
        using var tooLarge = await _service.Client.SendAsync(request, Cancellation);
        await ReadAsync(tooLarge, 413);
    }

    [Fact]
    public async Task All_wrong_fields_are_told_at_once()
    {
        using var answer = await _service.Client.GetAsync("/invalid", Cancellation);
        var errors = (await ReadAsync(answer, 422)).GetProperty("errors");
        Assert.Equal(["must be there", "must be short"], errors.GetProperty("brief").EnumerateArray().Select(rule => rule.GetString()));
        Assert.Equal("must be positive", errors.GetProperty("tasks[3].priority")[0].GetString());
    }

    [Fact]
    public async Task The_trace_of_the_client_is_in_the_answer()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/broken");
        request.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        using var answer = await _service.Client.SendAsync(request, Cancellation);
        Assert.Equal("0af7651916cd43dd8448eb211c80319c", (await ReadAsync(answer, 500)).GetProperty("traceId").GetString());
    }

    private static void Map(WebApplication app)
    {
        app.MapPost("/tasks", (SubmitTask task) => TypedResults.Ok(task));
        app.MapPost("/batch", (SubmitTaskBatch batch) => TypedResults.Ok(batch));
        app.MapPost("/callbacks", (CallbackBatch batch) => TypedResults.Ok(batch));
        app.MapGet("/items", (int limit) => limit);
        app.MapGet("/broken", string () => throw new InvalidOperationException("a secret detail"));
        app.MapGet("/database-away", string () => throw new InvalidOperationException("secret", new NpgsqlException("secret", new IOException("refused"))));
        app.MapGet("/storage-away", string () => throw new ObjectStorageException("secret", transient: true));
        app.MapGet("/conflict", () => Problems.Conflict("It changed meanwhile."));
        app.MapGet("/bare/{status:int}", (int status) => Results.StatusCode(status));
        app.MapGet("/invalid", () =>
        {
            var faults = new Faults();
            faults.Add("brief", "must be there");
            faults.Add("brief", "must be short");
            faults.Add("tasks[3].priority", "must be positive");
            return Problems.Unprocessable(faults);
        });
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, int status)
    {
        Assert.Equal((status, "application/problem+json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.Equal(status, problem.GetProperty("status").GetInt32());
        Assert.All((string[])["type", "title", "detail", "traceId"], name => Assert.False(string.IsNullOrEmpty(problem.GetProperty(name).GetString())));
        return problem;
    }
}
