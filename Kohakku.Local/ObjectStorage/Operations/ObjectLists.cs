using System.Text;
using System.Xml.Linq;
using Kohakku.Local.ObjectStorage.Authentication;
using Kohakku.Local.ObjectStorage.Storage;

namespace Kohakku.Local.ObjectStorage.Operations;

/// <summary>Lists of objects, versions 1 and 2 of the call.</summary>
internal sealed class ObjectLists(ObjectStore store)
{
    private sealed record Listing(List<XElement> Objects, List<string> CommonPrefixes, bool IsTruncated, string? Last);

    public Task ListV2Async(S3Request request)
    {
        var token = request.Value("continuation-token");
        var startAfter = request.Value("start-after");
        var listing = List(request, token is null ? startAfter ?? "" : DecodeToken(token));
        var encode = EncoderOf(request);
        return S3Xml.WriteAsync(
            request.Context,
            S3Xml.Element(
                "ListBucketResult",
                Head(request, encode),
                S3Xml.Element("KeyCount", listing.Objects.Count + listing.CommonPrefixes.Count),
                S3Xml.Element("IsTruncated", listing.IsTruncated),
                token is null ? null : S3Xml.Element("ContinuationToken", token),
                listing.IsTruncated ? S3Xml.Element("NextContinuationToken", EncodeToken(listing.Last!)) : null,
                startAfter is null ? null : S3Xml.Element("StartAfter", encode(startAfter)),
                listing.Objects,
                CommonPrefixes(listing, encode)));
    }

    public Task ListV1Async(S3Request request)
    {
        var marker = request.Value("marker") ?? "";
        var listing = List(request, marker);
        var encode = EncoderOf(request);
        return S3Xml.WriteAsync(
            request.Context,
            S3Xml.Element(
                "ListBucketResult",
                Head(request, encode),
                S3Xml.Element("Marker", encode(marker)),
                S3Xml.Element("IsTruncated", listing.IsTruncated),
                listing.IsTruncated ? S3Xml.Element("NextMarker", encode(listing.Last!)) : null,
                listing.Objects,
                CommonPrefixes(listing, encode)));
    }

    private Listing List(S3Request request, string after)
    {
        store.RequireBucket(request.Bucket);
        var prefix = request.Value("prefix") ?? "";
        var delimiter = request.Value("delimiter") ?? "";
        var max = request.Number("max-keys", 1000, 0, 1000);
        var encode = EncoderOf(request);
        var listing = new Listing([], [], false, null);
        if (max == 0) return listing;
        // The last answer may have ended with a common prefix: then all that it folds is behind us.
        var walk = new KeyWalk(store.ObjectsOf(request.Bucket), prefix, after) { Skip = FoldedBy(after, prefix, delimiter) is { } fold && fold == after ? fold : null };
        foreach (var (key, path) in walk.Keys())
        {
            var folded = FoldedBy(key, prefix, delimiter);
            using var found = folded is null ? ObjectFile.Open(path) : null;
            if (folded is null && found is null) continue; // Deleted meanwhile.
            if (listing.Objects.Count + listing.CommonPrefixes.Count == max) return listing with { IsTruncated = true };
            listing = listing with { Last = folded ?? key };
            if (folded is not null) listing.CommonPrefixes.Add(walk.Skip = folded);
            else listing.Objects.Add(ObjectElement(encode(key), found!.Metadata));
        }
        return listing;
    }

    /// <summary>The common prefix that stands for a key: up to the first delimiter behind the prefix.</summary>
    private static string? FoldedBy(string key, string prefix, string delimiter)
    {
        if (delimiter.Length == 0 || !key.StartsWith(prefix, StringComparison.Ordinal)) return null;
        var end = key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
        return end < 0 ? null : key[..(end + delimiter.Length)];
    }

    private static XElement ObjectElement(string key, ObjectMetadata metadata) => S3Xml.Element(
        "Contents",
        S3Xml.Element("Key", key), S3Xml.Element("LastModified", S3Xml.Time(metadata.LastModified)), S3Xml.Element("ETag", $"\"{metadata.ETag}\""),
        S3Xml.Element("Size", metadata.Size), S3Xml.Element("StorageClass", "STANDARD"));

    private static IEnumerable<XElement> CommonPrefixes(Listing listing, Func<string, string> encode) =>
        listing.CommonPrefixes.Select(prefix => S3Xml.Element("CommonPrefixes", S3Xml.Element("Prefix", encode(prefix))));

    private static IEnumerable<XElement> Head(S3Request request, Func<string, string> encode)
    {
        yield return S3Xml.Element("Name", request.Bucket);
        yield return S3Xml.Element("Prefix", encode(request.Value("prefix") ?? ""));
        if (request.Value("delimiter") is { Length: > 0 } delimiter) yield return S3Xml.Element("Delimiter", encode(delimiter));
        yield return S3Xml.Element("MaxKeys", request.Number("max-keys", 1000, 0, 1000));
        if (request.Value("encoding-type") is { } encoding) yield return S3Xml.Element("EncodingType", encoding);
    }

    private static Func<string, string> EncoderOf(S3Request request) => request.Value("encoding-type") switch
    {
        null or "" => text => text,
        "url" => text => CanonicalRequest.Encode(text, keepSlash: true),
        _ => throw S3Errors.InvalidArgument("encoding-type must be url."),
    };

    private static string EncodeToken(string last) => Convert.ToBase64String(Encoding.UTF8.GetBytes(last));

    private static string DecodeToken(string token)
    {
        var bytes = new byte[token.Length];
        return Convert.TryFromBase64String(token, bytes, out var length)
            ? Encoding.UTF8.GetString(bytes, 0, length)
            : throw S3Errors.InvalidArgument("The continuation token provided is incorrect.");
    }
}
