using System.Globalization;
using Kohakku.Local.ObjectStorage.Storage;

namespace Kohakku.Local.ObjectStorage.Operations;

/// <summary>The conditional headers of HTTP, as S3 has them.</summary>
internal static class Conditions
{
    /// <summary>For GET and HEAD: false where the client has it already (304).</summary>
    /// <exception cref="S3Exception">A precondition failed.</exception>
    public static bool ShouldSend(S3Request request, ObjectMetadata found)
    {
        CheckPreconditions(found, request.Header("If-Match"), request.Header("If-Unmodified-Since"));
        return request.Header("If-None-Match") is { } tags
            ? !Matches(tags, found.ETag)
            : ReadTime(request.Header("If-Modified-Since")) is not { } since || Seconds(found) > since;
    }

    /// <summary>For PUT: <c>If-None-Match: *</c> keeps what is there, <c>If-Match</c> replaces only what the client knows.</summary>
    /// <returns>Null where the request has no condition.</returns>
    public static Action<ObjectMetadata?>? ForWrite(S3Request request)
    {
        var match = request.Header("If-Match");
        var noneMatch = request.Header("If-None-Match");
        if (match is null && noneMatch is null) return null;
        return present =>
        {
            if (match is not null && present is null) throw S3Errors.NoSuchKey();
            if (match is not null && !Matches(match, present!.ETag)) throw S3Errors.PreconditionFailed();
            if (noneMatch is not null && present is not null && Matches(noneMatch, present.ETag)) throw S3Errors.PreconditionFailed();
        };
    }

    /// <summary>For the source of a copy.</summary>
    public static void CheckCopySource(S3Request request, ObjectMetadata source)
    {
        CheckPreconditions(source, request.Header("x-amz-copy-source-if-match"), request.Header("x-amz-copy-source-if-unmodified-since"));
        var isKnown = request.Header("x-amz-copy-source-if-none-match") is { } tags && Matches(tags, source.ETag);
        var isOld = ReadTime(request.Header("x-amz-copy-source-if-modified-since")) is { } since && Seconds(source) <= since;
        if (isKnown || isOld) throw S3Errors.PreconditionFailed();
    }

    private static void CheckPreconditions(ObjectMetadata found, string? match, string? unmodifiedSince)
    {
        if (match is not null)
        {
            if (!Matches(match, found.ETag)) throw S3Errors.PreconditionFailed();
        }
        else if (ReadTime(unmodifiedSince) is { } since && Seconds(found) > since)
        {
            throw S3Errors.PreconditionFailed();
        }
    }

    private static bool Matches(string tags, string etag) =>
        tags.Split(',', StringSplitOptions.TrimEntries).Any(tag => tag == "*" || tag.Trim('"') == etag);

    private static DateTimeOffset? ReadTime(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    /// <summary>HTTP tells whole seconds.</summary>
    private static DateTimeOffset Seconds(ObjectMetadata found) => DateTimeOffset.FromUnixTimeSeconds(found.LastModified.ToUnixTimeSeconds());
}
