using System.Net;
using Kohakku.Contracts.Signing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Logging;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// Verifies a call and hands it on with its body buffered; answers 401, and leaves a trace in the log, where it can't.
/// A replay inside the window passes: what our own processes say to each other does nothing the second time (docs/decisions/0003).
/// </summary>
internal sealed partial class SignatureCheck(SigningKeys keys, TimeProvider time, ILogger<SignatureCheck> logger)
{
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        if (await ReadBodyAsync(context) is not { } body)
        {
            await Problems.TooLarge($"A signed body has at most {ServerDefaults.MaxRequestBodySize} bytes.").ExecuteAsync(context);
            return;
        }
        if (Refusal(context, body) is { } refusal)
        {
            await refusal.ExecuteAsync(context);
            return;
        }
        using var buffered = new MemoryStream(body, writable: false);
        context.Request.Body = buffered;
        await next(context);
    }

    private ProblemHttpResult? Refusal(HttpContext context, byte[] body)
    {
        var request = context.Request;
        var id = request.Headers[StandardWebhooks.IdHeader].ToString();
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var now = time.GetUtcNow();
        var verdict = StandardWebhooks.Verify(
            keys.Keys, id, request.Headers[StandardWebhooks.TimestampHeader], request.Headers[StandardWebhooks.SignatureHeader],
            StandardWebhooks.RequestContent(request.Method, target, body), now);
        if (verdict == SignatureVerdict.Valid) return null;

        LogRefused(logger, verdict, request.Method, request.Path, context.Connection.RemoteIpAddress);
        return verdict switch
        {
            SignatureVerdict.ClockSkew => Problems.ClockSkew(now),
            SignatureVerdict.Malformed => Problems.InvalidSignature("The headers webhook-id, webhook-timestamp and webhook-signature are missing or can't be read."),
            _ => Problems.InvalidSignature("No key of this installation made this signature."),
        };
    }

    /// <summary>The whole body, or null where it is too large.</summary>
    private static async Task<byte[]?> ReadBodyAsync(HttpContext context)
    {
        var length = context.Request.ContentLength;
        if (length > ServerDefaults.MaxRequestBodySize) return null;
        if (length == 0) return [];
        // What a stranger announces is not yet worth its memory.
        using var buffer = new MemoryStream((int)Math.Min(length ?? 0, 64 * 1024));
        try
        {
            await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
        }
        catch (BadHttpRequestException exception) when (exception.StatusCode == (int)HttpStatusCode.RequestEntityTooLarge)
        {
            return null;
        }
        if (buffer.Length > ServerDefaults.MaxRequestBodySize) return null;
        return length == buffer.Length && buffer.GetBuffer().Length == length ? buffer.GetBuffer() : buffer.ToArray();
    }

    [LoggerMessage(1102, LogLevel.Warning, "Refused a call without a valid signature ({Reason}): {Method} {Path} from {Address}.")]
    private static partial void LogRefused(ILogger logger, SignatureVerdict reason, string method, PathString path, IPAddress? address);
}
