using System.Net.Http.Headers;
using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;

namespace Kohakku.Agent.Protocol;

/// <summary>The calls of the agent protocol that the runner makes.</summary>
internal sealed class DispatcherClient(DispatcherLink link)
{
    private const int HeartbeatWaitSeconds = 20;
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Transfer = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan HeartbeatLimit = TimeSpan.FromSeconds(HeartbeatWaitSeconds + 5);

    public Task<AgentBrief> GetBriefAsync(CancellationToken cancellationToken) =>
        link.ReadAsync(() => new HttpRequestMessage(HttpMethod.Get, "brief"), RunnerJson.Default.AgentBrief, Usual, cancellationToken);

    /// <summary>A long poll: answered at once when there is an order or a message.</summary>
    public Task<AgentHeartbeat> BeatAsync(CancellationToken cancellationToken) => link.ReadAsync(
        () => new HttpRequestMessage(HttpMethod.Post, $"heartbeat?wait={HeartbeatWaitSeconds}"), RunnerJson.Default.AgentHeartbeat, HeartbeatLimit,
        cancellationToken);

    /// <summary>Copies the skill's package to where <paramref name="open"/> leads, which is opened anew when the copy has to start again.</summary>
    public async Task GetSkillAsync(string name, Func<FileStream> open, CancellationToken cancellationToken)
    {
        const int mostTries = 8;
        for (var tries = 1; ; tries++)
        {
            using var response = await link.SendAsync(
                () => new HttpRequestMessage(HttpMethod.Get, $"skills/{Uri.EscapeDataString(name)}"), Usual, cancellationToken);
            await DispatcherLink.ThrowUnlessSuccessAsync(response, cancellationToken);
            await using var file = open();
            try
            {
                await link.BoundedAsync(bounded => CopyAsync(response.Content, file, bounded), Transfer, cancellationToken);
                return;
            }
            catch (Exception fault) when (tries < mostTries && (fault is HttpIOException or HttpRequestException or TimeoutException))
            {
                // Cut in the middle; once more from the start.
            }
        }
    }

    /// <returns>False once the dispatcher takes no more of the log.</returns>
    public async Task<bool> SendEventsAsync(ReadOnlyMemory<byte> events, CancellationToken cancellationToken)
    {
        using var response = await link.SendAsync(
            () => new HttpRequestMessage(HttpMethod.Post, "events") { Content = Json(events) }, Usual, cancellationToken);
        await DispatcherLink.ThrowUnlessSuccessAsync(response, cancellationToken);
        var answer = await link.BoundedAsync(response.Content.ReadAsByteArrayAsync, Usual, cancellationToken);
        if (answer.Length == 0) return true;
        try
        {
            using var document = JsonDocument.Parse(answer);
            return document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("logLimit", out var limit) || limit.ValueKind != JsonValueKind.True;
        }
        catch (JsonException)
        {
            return true;
        }
    }

    /// <summary>Streams a file of <paramref name="length"/> bytes to the artifact <paramref name="path"/>.</summary>
    /// <returns>Null, or why the dispatcher refused it.</returns>
    /// <exception cref="IOException">The file can't be read, or the connection broke again and again.</exception>
    public async Task<string?> PutArtifactAsync(string path, string contentType, long length, Func<Stream> open, CancellationToken cancellationToken)
    {
        const int mostTries = 8;
        const int askFirstAbove = 64 * 1024;
        const int slowestBytesPerSecond = 128 * 1024;
        HttpRequestMessage Request()
        {
            var content = new StreamContent(open(), 128 * 1024);
            content.Headers.ContentLength = length;
            content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
            var request = new HttpRequestMessage(HttpMethod.Put, $"artifacts/{Escape(path)}") { Content = content };
            // What will be refused should be refused before gigabytes are sent.
            request.Headers.ExpectContinue = length > askFirstAbove;
            return request;
        }

        var limit = TimeSpan.FromSeconds(60 + length / slowestBytesPerSecond);
        using var response = await link.SendAsync(Request, limit, cancellationToken, mostTries);
        return response.IsSuccessStatusCode ? null : $"{(int)response.StatusCode} {await Problem.ReadAsync(response, cancellationToken)}";
    }

    public async Task PostResultAsync(AgentResult result, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(result, RunnerJson.Default.AgentResult);
        using var response = await link.SendAsync(() => new HttpRequestMessage(HttpMethod.Post, "result") { Content = Json(body) }, Usual, cancellationToken);
        await DispatcherLink.ThrowUnlessSuccessAsync(response, cancellationToken);
    }

    private static async Task<long> CopyAsync(HttpContent content, FileStream file, CancellationToken cancellationToken)
    {
        await content.CopyToAsync(file, cancellationToken);
        return file.Length;
    }

    private static ReadOnlyMemoryContent Json(ReadOnlyMemory<byte> body)
    {
        var content = new ReadOnlyMemoryContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    private static string Escape(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
}
