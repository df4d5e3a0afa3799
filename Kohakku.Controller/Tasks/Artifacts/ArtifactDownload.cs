using System.Net.Mime;
using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;
using Microsoft.Net.Http.Headers;

namespace Kohakku.Controller.Tasks.Artifacts;

/// <summary>
/// Serves a file that an agent made, on the console's own origin: whatever it is, it must not act there. Only a few harmless types are shown in
/// place, the others are downloads; all are sandboxed and never sniffed.
/// </summary>
internal static class ArtifactDownload
{
    private static readonly string[] ShownInPlace = ["text/plain", "text/markdown", "application/json", "image/png", "image/jpeg"];

    public static async Task SendAsync(HttpContext context, ArtifactView artifact, string key, ObjectStorage storage, CancellationToken cancellationToken)
    {
        var response = context.Response;
        var tag = new EntityTagHeaderValue($"\"{artifact.Sha256}\"");
        SetHeaders(response, artifact, tag);
        if (IsKnown(context.Request, tag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var (range, unsatisfiable) = ByteRange.Of(context.Request, artifact.Size, tag);
        if (unsatisfiable)
        {
            response.Headers.ContentRange = $"bytes */{artifact.Size}";
            response.Headers.Remove(HeaderNames.ContentDisposition);
            response.ContentType = null;
            // The status page writes the problem.
            response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
            return;
        }

        await using var stored = artifact.Size == 0 ? null : await storage.GetAsync(key, range?.From, range?.To, cancellationToken)
            ?? throw new InvalidDataException($"{key} is not in the object storage, though its artifact is in the database.");
        if (range is { } part)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {part.From}-{part.From + stored!.Length - 1}/{stored.TotalLength}";
        }

        response.ContentLength = stored?.Length ?? 0;
        if (stored is not null && !HttpMethods.IsHead(context.Request.Method)) await stored.Content.CopyToAsync(response.Body, cancellationToken);
    }

    private static void SetHeaders(HttpResponse response, ArtifactView artifact, EntityTagHeaderValue tag)
    {
        var headers = response.Headers;
        var type = MediaTypeHeaderValue.TryParse(artifact.ContentType, out var parsed) ? parsed.ToString() : MediaTypeNames.Application.Octet;
        var inPlace = parsed is not null && ShownInPlace.Contains(parsed.MediaType.Value, StringComparer.OrdinalIgnoreCase);
        response.ContentType = type;
        headers.ContentDisposition = new ContentDispositionHeaderValue(inPlace ? "inline" : "attachment") { FileNameStar = FileName(artifact.Path) }.ToString();
        headers.ContentSecurityPolicy = "sandbox; default-src 'none'";
        headers.XContentTypeOptions = "nosniff";
        headers.AcceptRanges = "bytes";
        headers.ETag = tag.ToString();
        // A running attempt may replace the file under the same path.
        headers.CacheControl = "private, no-cache";
    }

    private static bool IsKnown(HttpRequest request, EntityTagHeaderValue tag) =>
        request.GetTypedHeaders().IfNoneMatch.Any(known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, useStrongComparison: false));

    private static string FileName(string path) => path[(path.LastIndexOf('/') + 1)..];
}
