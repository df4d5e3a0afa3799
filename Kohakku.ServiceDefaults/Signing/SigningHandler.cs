using System.Globalization;
using System.Net;
using System.Text.Json;
using Kohakku.Contracts.Signing;
using Microsoft.Extensions.Logging;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// Signs every request with the newest key. Where the other side refuses it for the clock, the signing clock is corrected by
/// what that side says the time is, and the request is sent once more.
/// </summary>
public sealed partial class SigningHandler : DelegatingHandler
{
    private readonly SigningKeys _keys;
    private readonly SigningClock _clock;
    private readonly ILogger<SigningHandler> _logger;

    internal SigningHandler(SigningKeys keys, SigningClock clock, ILogger<SigningHandler> logger) => (_keys, _clock, _logger) = (keys, clock, logger);

    /// <summary>How far the verifier's clock was found to be ahead of this machine's.</summary>
    public TimeSpan ClockSkew => _clock.Skew;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        Sign(request, body);
        var answer = await base.SendAsync(request, cancellationToken);
        if (await ServerTimeAsync(answer, cancellationToken) is not { } serverTime) return answer;

        answer.Dispose();
        _clock.Correct(serverTime);
        LogSkew(_logger, _clock.Skew.TotalSeconds);
        Sign(request, body);
        return await base.SendAsync(request, cancellationToken);
    }

    private void Sign(HttpRequestMessage request, byte[] body)
    {
        var id = Guid.CreateVersion7().ToString("N");
        var timestamp = _clock.Now.ToUnixTimeSeconds();
        var content = StandardWebhooks.RequestContent(request.Method.Method, request.RequestUri!.PathAndQuery, body);
        Set(request, StandardWebhooks.IdHeader, id);
        Set(request, StandardWebhooks.TimestampHeader, timestamp.ToString(CultureInfo.InvariantCulture));
        Set(request, StandardWebhooks.SignatureHeader, StandardWebhooks.Sign(_keys.Keys[0], id, timestamp, content));
    }

    private static void Set(HttpRequestMessage request, string header, string value)
    {
        request.Headers.Remove(header);
        request.Headers.TryAddWithoutValidation(header, value);
    }

    /// <summary>The verifier's time, where it refused for the clock. The answer stays readable.</summary>
    private static async Task<DateTimeOffset?> ServerTimeAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        if (answer.StatusCode != HttpStatusCode.Unauthorized || answer.Content.Headers.ContentType?.MediaType != "application/problem+json") return null;
        await answer.Content.LoadIntoBufferAsync(64 * 1024, cancellationToken);
        try
        {
            using var problem = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancellationToken));
            return problem.RootElement.TryGetProperty("type", out var type) && type.ValueEquals(Problems.ClockSkewType)
                && problem.RootElement.TryGetProperty("serverTime", out var time) && time.TryGetDateTimeOffset(out var serverTime)
                ? serverTime
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [LoggerMessage(1101, LogLevel.Warning, "The other side's clock is {Seconds:F0} s ahead of this machine's; signing by its clock from now on. Set this machine's clock right.")]
    private static partial void LogSkew(ILogger logger, double seconds);
}
