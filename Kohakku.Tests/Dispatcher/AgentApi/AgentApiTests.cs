using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.ServiceDefaults;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.Tests.Dispatcher.AgentApi;

public sealed class AgentApiTests(PostgresFixture postgres, ObjectStorageFixture storage)
{
    [Fact]
    public async Task A_token_opens_its_own_attempt_only_and_only_while_it_runs()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        using var nobody = new HttpClient { BaseAddress = dispatcher.Url };
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync("/agent/v1/brief")).StatusCode);
        using var stranger = dispatcher.Agent("wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, (await stranger.PostAsync("/agent/v1/result", new StringContent("{broken", Encoding.UTF8, "application/json"))).StatusCode);

        var order = TestOrders.Exec();
        using var agent = await dispatcher.RunAsync(order);
        var brief = await agent.GetFromJsonAsync<JsonElement>("/agent/v1/brief");
        Assert.Equal(order.AttemptId, brief.GetProperty("attemptId").GetGuid());
        Assert.Equal("""{"FROM_AGENT":"1","BOTH":"task"}""", brief.GetProperty("env").GetRawText());
        Assert.NotEqual(JsonValueKind.Null, brief.GetProperty("deadline").ValueKind);

        await agent.PostAsJsonAsync("/agent/v1/result", new { status = "succeeded" });
        dispatcher.Runtime.Exit(order.AttemptId);
        await dispatcher.Controller.EndOfAsync(order.AttemptId);
        await Eventually.Async(() => dispatcher.HasForgottenAllAsync());
        Assert.Equal(HttpStatusCode.Conflict, (await agent.GetAsync("/agent/v1/brief")).StatusCode);
    }

    [Fact]
    public async Task The_agents_socket_serves_the_protocol_and_nothing_else()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        (await dispatcher.RunAsync(order)).Dispose();
        using var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(dispatcher.SocketPath), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        }) { BaseAddress = new Uri("http://dispatcher") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", order.Token);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/agent/v1/brief")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health")).StatusCode);
        foreach (var path in new[] { "/metrics", "/ready", $"/v1/attempts/{order.AttemptId}/logs", "/agent/v1/../../metrics" })
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(path)).StatusCode);
    }

    [Fact]
    public async Task Artifacts_are_stored_measured_and_reported_and_may_not_leave_their_folder()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        using var agent = await dispatcher.RunAsync(order);
        // Larger than one part of a multipart upload.
        var content = RandomNumberGenerator.GetBytes(9 * 1024 * 1024);
        var answer = await agent.PutAsync("/agent/v1/artifacts/sub/report.bin", new ByteArrayContent(content));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var artifact = (await answer.Content.ReadFromJsonAsync<ArtifactData>(JsonSerializerOptions.Web))!;
        Assert.Equal(("sub/report.bin", content.Length, Convert.ToHexStringLower(SHA256.HashData(content))), (artifact.Path, (int)artifact.Size, artifact.Sha256));
        var objects = dispatcher.App.Services.GetRequiredService<ObjectStorage>();
        Assert.Equal(content, await objects.ReadAsync($"artifacts/{order.TaskId}/1/sub/report.bin", default));
        await Eventually.Async(() => dispatcher.Controller.TypesOf(order.AttemptId).Contains("artifact"));

        foreach (var path in new[] { "..%2f..%2fx", "a/%2e%2e%5cx", "a//b" })
        {
            var refused = await agent.PutAsync($"/agent/v1/artifacts/{path}", new ByteArrayContent([1]));
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
        }
    }

    [Fact]
    public async Task A_skill_is_fetched_once_and_only_as_ordered()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var package = Encoding.UTF8.GetBytes("not a zip, but nobody here minds");
        var objects = dispatcher.App.Services.GetRequiredService<ObjectStorage>();
        await objects.PutAsync("skills/git/x.zip", package, "application/zip", default);
        var url = objects.PresignGet("skills/git/x.zip", TimeSpan.FromMinutes(1)).ToString();
        var order = TestOrders.Exec(skills:
        [
            new OrderedSkill("git", 1, Convert.ToHexStringLower(SHA256.HashData(package)), url), new OrderedSkill("bad", 1, new string('0', 64), url),
        ]);
        using var agent = await dispatcher.RunAsync(order);
        Assert.Equal(package, await agent.GetByteArrayAsync("/agent/v1/skills/git"));
        await objects.DeleteAsync(["skills/git/x.zip"], default);
        Assert.Equal(package, await agent.GetByteArrayAsync("/agent/v1/skills/git"));
        Assert.Equal(HttpStatusCode.NotFound, (await agent.GetAsync("/agent/v1/skills/none")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await agent.GetAsync("/agent/v1/skills/bad")).StatusCode);
    }

    [Fact]
    public async Task A_question_waits_for_its_answer()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        var order = TestOrders.Exec();
        using var agent = await dispatcher.RunAsync(order);
        var asked = await (await agent.PostAsJsonAsync("/agent/v1/questions", new { prompt = "Go on?", choices = new[] { "yes", "no" } }))
            .Content.ReadFromJsonAsync<AskedQuestion>(JsonSerializerOptions.Web);
        await Eventually.Async(() => dispatcher.Controller.TypesOf(order.AttemptId).Contains("question"));
        var waiting = agent.GetFromJsonAsync<QuestionAnswer>($"/agent/v1/questions/{asked!.Id}?wait=30");
        dispatcher.Controller.Messages.Enqueue(new AttemptMessage(order.AttemptId, asked.Id, "answer", "yes"));
        Assert.Equal(new QuestionAnswer("answered", "yes"), await waiting);
        Assert.Equal(HttpStatusCode.NotFound, (await agent.GetAsync($"/agent/v1/questions/{Guid.NewGuid()}")).StatusCode);

        // The controller says it at each heartbeat; the agent hears it once.
        var beats = new List<AgentHeartbeat>();
        for (var i = 0; i < 3; i++) beats.Add((await (await agent.PostAsync("/agent/v1/heartbeat?wait=2", null)).Content.ReadFromJsonAsync<AgentHeartbeat>(JsonSerializerOptions.Web))!);
        Assert.Equal("yes", Assert.Single(beats.SelectMany(beat => beat.Messages)).Body);
    }

    [Fact]
    public async Task Bad_bodies_are_refused_with_the_field_and_the_rule()
    {
        await using var dispatcher = await RunningDispatcher.StartAsync(postgres, storage);
        using var agent = await dispatcher.RunAsync(TestOrders.Exec());
        async Task AssertAsync(string path, string body, HttpStatusCode status, string field)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            // So that a body that is refused for its size need not be sent into a closed connection.
            request.Headers.ExpectContinue = true;
            var answer = await agent.SendAsync(request);
            Assert.Equal((status, "application/problem+json"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            if (field.Length > 0) Assert.Contains(field, await answer.Content.ReadAsStringAsync());
        }

        await AssertAsync("/agent/v1/events", "[", HttpStatusCode.BadRequest, "errors");
        await AssertAsync("/agent/v1/events", """[{"type":"dance"}]""", HttpStatusCode.BadRequest, "errors");
        await AssertAsync("/agent/v1/events", """[{"type":"progress","percent":101,"message":null}]""", HttpStatusCode.UnprocessableEntity, "[0].percent");
        await AssertAsync("/agent/v1/events", $$"""[{"type":"log","stream":"stdout","text":"{{new string('x', 1024 * 1024)}}"}]""", HttpStatusCode.RequestEntityTooLarge, "");
        await AssertAsync("/agent/v1/result", """{"status":"maybe"}""", HttpStatusCode.BadRequest, "status");
        await AssertAsync("/agent/v1/questions", """{"prompt":"","choices":null,"timeoutSeconds":0}""", HttpStatusCode.UnprocessableEntity, "timeoutSeconds");
        await AssertAsync("/agent/v1/tasks", "{}", HttpStatusCode.NotImplemented, "");
    }
}
