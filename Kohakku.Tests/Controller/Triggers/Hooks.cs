using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Kohakku.Contracts.Signing;
using Kohakku.Controller.Triggers.Hooks;
using Kohakku.Tests.Controller.Tasks;

namespace Kohakku.Tests.Controller.Triggers;

/// <summary>Calls hooks as GitHub and others do: without a token of Kohakku's.</summary>
internal static class Hooks
{
    public const string Secret = "It's a Secret to Everybody";
    public const string StandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// <summary>The body of an event as GitHub sends it.</summary>
    public static byte[] Sample(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Controller", "Triggers", "Samples", $"{name}.json"));

    public static async Task<Answer> PutAsync(this RunningController controller, string name, string json) => await controller.SendAsync(
        HttpMethod.Put, $"/api/v1/triggers/{name}", new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json")), TestContext.Current.CancellationToken);

    public static async Task<Answer> CallAsync(this RunningController controller, string name, byte[] body, string type, params (string Name, string Value)[] headers)
    {
        using var client = controller.ClientOf(null);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/hooks/{name}") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        foreach (var (header, value) in headers) Assert.True(request.Headers.TryAddWithoutValidation(header, value));
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(answer, TestContext.Current.CancellationToken);
    }

    /// <summary>A signed delivery of GitHub's.</summary>
    /// <param name="delivery">Null: one of its own.</param>
    public static Task<Answer> GithubAsync(
        this RunningController controller, string name, string eventName, byte[] body, string? delivery = null, string secret = Secret, string type = "application/json") =>
        controller.CallAsync(name, body, type,
            ("X-GitHub-Event", eventName), ("X-GitHub-Delivery", delivery ?? Guid.NewGuid().ToString()), ("X-GitHub-Hook-ID", "486120033"), ("User-Agent", "GitHub-Hookshot/044aadd"),
            ("X-Hub-Signature-256", HookVerification.SignGithub(secret, body)));

    public static Task<Answer> StandardAsync(this RunningController controller, string name, string id, string body, DateTimeOffset at)
    {
        var (bytes, seconds) = (Encoding.UTF8.GetBytes(body), at.ToUnixTimeSeconds());
        return controller.CallAsync(name, bytes, "application/json",
            (StandardWebhooks.IdHeader, id), (StandardWebhooks.TimestampHeader, seconds.ToString(CultureInfo.InvariantCulture)),
            (StandardWebhooks.SignatureHeader, StandardWebhooks.Sign(StandardWebhooks.KeyBytes(StandardSecret), id, seconds, bytes)));
    }
}
