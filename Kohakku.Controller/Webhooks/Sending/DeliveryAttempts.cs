using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Signing;
using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Webhooks.Sending;

/// <summary>A delivery that this sender has in hand.</summary>
/// <param name="Tries">How often it was tried before.</param>
/// <param name="Attempts">JSON.</param>
/// <param name="Until">When it is another's to take.</param>
internal sealed record TakenDelivery(
    Guid WebhookId, Guid Id, string Type, string Subject, DateTimeOffset At, string Data, int Tries, string Attempts, string Url, byte[] Secret, byte[]? PreviousSecret,
    string Project, DateTimeOffset Until);

/// <summary>How one attempt went.</summary>
/// <param name="Asked">The receiver's <c>Retry-After</c>.</param>
/// <param name="Hopeless">It would go the same way the next time.</param>
internal sealed record AttemptEnd(DeliveryAttempt Attempt, TimeSpan? Asked = null, bool Hopeless = false)
{
    public bool Succeeded => Attempt.Status is >= 200 and < 300;

    /// <summary>The receiver is gone for good, and says so.</summary>
    public bool Gone => Attempt.Status == (int)HttpStatusCode.Gone;
}

/// <summary>Posts one event: CloudEvents 1.0 in structured mode, signed by Standard Webhooks 1.0.0 with the webhook's secret, and the one before while it counts.</summary>
internal sealed class DeliveryAttempts(WebhookOptions options, WebhookSecrets secrets, ControllerOptions controller, TimeProvider time) : IDisposable
{
    private const int LongestExcerpt = 1_000;
    private const string MediaType = "application/cloudevents+json";
    private readonly HttpClient _http = OutgoingHttp.Create(options.AllowPrivate, Timeout);

    /// <summary>Of one attempt.</summary>
    public static TimeSpan Timeout { get; } = TimeSpan.FromSeconds(15);

    /// <exception cref="OperationCanceledException">This process stops; whether it arrived is not known.</exception>
    public async Task<AttemptEnd> PostAsync(TakenDelivery delivery, CancellationToken cancellationToken)
    {
        var (started, at) = (time.GetTimestamp(), time.GetColumnNow());
        try
        {
            using var request = Sign(delivery, at);
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var fault = answer.IsSuccessStatusCode ? null : await ExcerptAsync(answer, cancellationToken);
            var asked = answer.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable ? RetryAfter(answer.Headers.RetryAfter, at) : null;
            return new AttemptEnd(new DeliveryAttempt(at, (int)answer.StatusCode, Took(), fault), asked);
        }
        catch (HttpRequestException fault) when (fault.InnerException is PrivateAddressException refusal)
        {
            return new AttemptEnd(new DeliveryAttempt(at, null, Took(), refusal.Message), Hopeless: true);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return new AttemptEnd(new DeliveryAttempt(at, null, Took(), fault.Message));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new AttemptEnd(new DeliveryAttempt(at, null, Took(), string.Create(CultureInfo.InvariantCulture, $"It did not answer within {Timeout.TotalSeconds} s.")));
        }
        catch (System.Security.Cryptography.CryptographicException)
        {
            return new AttemptEnd(new DeliveryAttempt(at, null, Took(), "Its secret can't be opened: KOHAKKU_SECRET_KEY is not the one it was made with. Rotate the secret."), Hopeless: true);
        }

        long Took() => (long)time.GetElapsedTime(started).TotalMilliseconds;
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Sign(TakenDelivery delivery, DateTimeOffset now)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(
            WebhookBodies.Of(controller.Url, delivery.Id, delivery.Type, delivery.Subject, delivery.At, delivery.Project, delivery.Data), ContractsJson.Default.WebhookEvent);
        var (id, timestamp) = (delivery.Id.ToString(), now.ToUnixTimeSeconds());
        string[] signatures =
        [
            .. new[] { delivery.Secret, delivery.PreviousSecret }.OfType<byte[]>()
                .Select(secret => StandardWebhooks.Sign(secrets.Open(delivery.WebhookId, secret), id, timestamp, body)),
        ];
        var request = new HttpRequestMessage(HttpMethod.Post, delivery.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaType, "utf-8");
        request.Headers.Add(StandardWebhooks.IdHeader, id);
        request.Headers.Add(StandardWebhooks.TimestampHeader, timestamp.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(StandardWebhooks.SignatureHeader, string.Join(' ', signatures));
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Kohakku", null));
        return request;
    }

    [SuppressMessage("Design", "CA1031", Justification = "An answer that breaks off is an answer all the same.")]
    private static async Task<string> ExcerptAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        try
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[LongestExcerpt];
            var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            var text = Encoding.UTF8.GetString(buffer, 0, length).Replace("\0", "", StringComparison.Ordinal).Trim();
            return text.Length > 0 ? text : answer.ReasonPhrase ?? "";
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            return fault.Message;
        }
    }

    private static TimeSpan? RetryAfter(RetryConditionHeaderValue? header, DateTimeOffset now) => header?.Delta ?? (header?.Date is { } date && date > now ? date - now : null);
}
