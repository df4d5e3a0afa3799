using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Signing;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Kohakku.Tests.ServiceDefaults;

/// <summary>Signing end to end: a client as the dispatcher has it, Kestrel as the controller has it.</summary>
public sealed class SigningTests
{
    private const string Key = "the-first-key-of-at-least-32-bytes";
    private const string OtherKey = "another-key-of-at-least-32-bytes!!";
    private static readonly CallbackBatch Batch = new(Guid.CreateVersion7(), []);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_signed_call_passes_and_its_body_is_read()
    {
        await using var controller = await ControllerAsync(Key);
        await using var dispatcher = await DispatcherAsync(Key, controller);
        using var answer = await PostAsync(dispatcher, "/callbacks?x=a%2Fb%20c");
        Assert.Equal((HttpStatusCode.OK, Batch.Session), (answer.StatusCode, await answer.Content.ReadFromJsonAsync<Guid>(Cancellation)));
        using var read = await Client(dispatcher).GetAsync("/signed-get", Cancellation);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
    }

    [Theory]
    [InlineData(Key, OtherKey + "," + Key)]
    [InlineData(OtherKey, OtherKey + "," + Key)]
    [InlineData(Key + "," + OtherKey, Key)]
    public async Task While_keys_rotate_old_and_new_ones_pass(string dispatcherKeys, string controllerKeys)
    {
        await using var controller = await ControllerAsync(controllerKeys);
        await using var dispatcher = await DispatcherAsync(dispatcherKeys, controller);
        using var answer = await PostAsync(dispatcher, "/callbacks");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_foreign_key_or_none_is_refused_before_the_body_is_looked_at()
    {
        await using var controller = await ControllerAsync(Key);
        await using var dispatcher = await DispatcherAsync(OtherKey, controller);
        using var foreign = await PostAsync(dispatcher, "/callbacks");
        await AssertRefusedAsync(foreign, "invalid-signature");
        using var unsigned = await controller.Client.PostAsync("/callbacks", new StringContent("{broken", System.Text.Encoding.UTF8, "application/json"), Cancellation);
        await AssertRefusedAsync(unsigned, "invalid-signature");
    }

    [Fact]
    public async Task The_same_call_passes_again_but_not_at_another_path_or_method()
    {
        await using var controller = await ControllerAsync(Key);
        HttpRequestMessage Signed(HttpMethod method, string path) => Sign(new HttpRequestMessage(method, path), "/callbacks", "the-id", TimeProvider.System.GetUtcNow());
        using var first = await controller.Client.SendAsync(Signed(HttpMethod.Post, "/callbacks"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var again = await controller.Client.SendAsync(Signed(HttpMethod.Post, "/callbacks"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
        using var elsewhere = await controller.Client.SendAsync(Signed(HttpMethod.Post, "/other"), Cancellation);
        await AssertRefusedAsync(elsewhere, "invalid-signature");
        using var query = await controller.Client.SendAsync(Signed(HttpMethod.Post, "/callbacks?all=true"), Cancellation);
        await AssertRefusedAsync(query, "invalid-signature");
        using var method = await controller.Client.SendAsync(Signed(HttpMethod.Put, "/callbacks"), Cancellation);
        await AssertRefusedAsync(method, "invalid-signature");
    }

    [Theory]
    [InlineData(60)]
    [InlineData(-60)]
    [InlineData(3)]
    public async Task A_clock_that_is_off_is_found_corrected_and_reported(int minutes)
    {
        await using var controller = await ControllerAsync(Key);
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(minutes));
        await using var dispatcher = await DispatcherAsync(Key, controller, clock);
        using var answer = await PostAsync(dispatcher, "/callbacks");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var skew = dispatcher.Services.GetRequiredService<SigningClock>().Skew;
        Assert.Equal(Math.Abs(minutes) > 5 ? -minutes : 0, skew.TotalMinutes, 1.0);
        // From now on it is right at once: this one is not sent twice.
        using var next = await PostAsync(dispatcher, "/callbacks");
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
    }

    [Fact]
    public async Task A_call_outside_the_window_is_told_the_time()
    {
        await using var controller = await ControllerAsync(Key);
        using var old = Sign(new HttpRequestMessage(HttpMethod.Post, "/callbacks"), "/callbacks", "old", TimeProvider.System.GetUtcNow().AddMinutes(-6));
        using var answer = await controller.Client.SendAsync(old, Cancellation);
        var problem = await AssertRefusedAsync(answer, "clock-skew");
        Assert.Equal(0, (problem.GetProperty("serverTime").GetDateTimeOffset() - TimeProvider.System.GetUtcNow()).TotalMinutes, 1.0);
    }

    private static Task<TestService> ControllerAsync(string keys) => TestService.StartAsync(
        new Dictionary<string, string?> { ["CALLBACK_SIGNING_KEY"] = keys },
        builder => builder.AddSigning(),
        app =>
        {
            var signed = app.MapGroup("").RequireSignature();
            signed.MapMethods("/callbacks", ["POST", "PUT"], (CallbackBatch batch) => TypedResults.Ok(batch.Session));
            signed.MapPost("/other", (CallbackBatch batch) => TypedResults.Ok(batch.Session));
            signed.MapGet("/signed-get", () => TypedResults.Ok());
        });

    private static Task<TestService> DispatcherAsync(string keys, TestService controller, TimeProvider? clock = null) => TestService.StartAsync(
        new Dictionary<string, string?> { ["CALLBACK_SIGNING_KEY"] = keys },
        builder =>
        {
            if (clock is not null) builder.Services.AddSingleton(clock);
            builder.AddSigning();
            builder.Services.AddHttpClient("controller", client => client.BaseAddress = controller.Client.BaseAddress).AddHttpMessageHandler<SigningHandler>();
        },
        _ => { });

    private static HttpClient Client(TestService dispatcher) => dispatcher.Services.GetRequiredService<IHttpClientFactory>().CreateClient("controller");

    private static Task<HttpResponseMessage> PostAsync(TestService dispatcher, string path) =>
        Client(dispatcher).PostAsJsonAsync(path, Batch, ContractsJson.Default.CallbackBatch, Cancellation);

    /// <summary>Signs by hand, for a POST to <paramref name="path"/>, whatever the request itself says.</summary>
    private static HttpRequestMessage Sign(HttpRequestMessage request, string path, string id, DateTimeOffset at)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(Batch, ContractsJson.Default.CallbackBatch);
        var timestamp = at.ToUnixTimeSeconds();
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add(StandardWebhooks.IdHeader, id);
        request.Headers.Add(StandardWebhooks.TimestampHeader, timestamp.ToString(System.Globalization.CultureInfo.InvariantCulture));
        request.Headers.Add(
            StandardWebhooks.SignatureHeader,
            StandardWebhooks.Sign(StandardWebhooks.KeyBytes(Key), id, timestamp, StandardWebhooks.RequestContent("POST", path, body)));
        return request;
    }

    private static async Task<JsonElement> AssertRefusedAsync(HttpResponseMessage answer, string type)
    {
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
        Assert.Equal(type, problem.GetProperty("type").GetString());
        return problem;
    }
}
