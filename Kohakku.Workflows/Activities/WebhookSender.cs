using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Templates;
using Temporalio.Exceptions;

namespace Kohakku.Workflows.Activities;

/// <summary>Calls the webhooks of steps. A template can make an address, so it goes only where this installation lets it.</summary>
internal sealed class WebhookSender(bool allowPrivate) : IDisposable
{
    private const int LongestAnswer = 64 * 1024;
    private readonly HttpClient _http = OutgoingHttp.Create(allowPrivate, TimeSpan.FromSeconds(25));

    /// <summary>Answers <c>{ "status", "body" }</c>: the body as JSON where it is that, else as text; nothing of one over 64 KiB.</summary>
    /// <param name="id">The same for every try, as <c>webhook-id</c>, so that the other side can tell a repetition.</param>
    /// <exception cref="ApplicationFailureException">It can't be sent at all.</exception>
    /// <exception cref="HttpRequestException">It was not answered, or not with 2xx.</exception>
    public async Task<JsonElement> SendAsync(WebhookStep webhook, TemplateScope scope, string id, CancellationToken cancellationToken)
    {
        using var request = Render(webhook, scope, id);
        using var answer = await SendAsync(request, cancellationToken);
        var body = await ReadAsync(answer, cancellationToken);
        if (!answer.IsSuccessStatusCode)
            throw new HttpRequestException($"{request.Method} {request.RequestUri!.GetLeftPart(UriPartial.Path)} answered {(int)answer.StatusCode}.", null, answer.StatusCode);
        return JsonSerializer.SerializeToElement(new Dictionary<string, object?> { ["status"] = (int)answer.StatusCode, ["body"] = body });
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException fault) when (fault.InnerException is PrivateAddressException refusal)
        {
            // It would be refused the next time, too.
            throw new ApplicationFailureException(refusal.Message, "PrivateAddress", nonRetryable: true);
        }
    }

    private static HttpRequestMessage Render(WebhookStep webhook, TemplateScope scope, string id)
    {
        try
        {
            var url = Template.Text(webhook.Url, scope);
            if (!Uri.TryCreate(url, UriKind.Absolute, out var target) || target.Scheme is not ("http" or "https"))
                throw new TemplateException($"url must be an absolute http or https address; it is '{url}'.");
            var request = new HttpRequestMessage(new HttpMethod(webhook.Method), target);
            request.Headers.TryAddWithoutValidation("webhook-id", id);
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Kohakku", null));
            if (webhook.Body is { } body)
                request.Content = new StringContent(Template.Value(body, scope).GetRawText(), Encoding.UTF8, "application/json");
            foreach (var (name, template) in webhook.Headers)
            {
                var value = Template.Text(template, scope);
                if (value.AsSpan().ContainsAny('\r', '\n')) throw new TemplateException($"headers.{name} must be one line.");
                if (name.Equals("content-type", StringComparison.OrdinalIgnoreCase) && request.Content is { } content)
                    content.Headers.ContentType = MediaTypeHeaderValue.TryParse(value, out var type) ? type : throw new TemplateException($"headers.{name} is no media type: '{value}'.");
                else request.Headers.TryAddWithoutValidation(name, value);
            }

            return request;
        }
        catch (TemplateException fault)
        {
            // It would be the same the next time.
            throw new ApplicationFailureException(fault.Message, "Template", nonRetryable: true);
        }
    }

    private static async Task<object?> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[LongestAnswer + 1];
        var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        if (length is 0 or > LongestAnswer) return null;
        try
        {
            return JsonElement.Parse(buffer.AsSpan(0, length));
        }
        catch (JsonException)
        {
            return Encoding.UTF8.GetString(buffer, 0, length).Replace("\0", "", StringComparison.Ordinal);
        }
    }
}
