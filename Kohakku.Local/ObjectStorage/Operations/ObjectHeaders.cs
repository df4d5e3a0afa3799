namespace Kohakku.Local.ObjectStorage.Operations;

/// <summary>The headers of an upload that belong to the object and come back with it.</summary>
internal static class ObjectHeaders
{
    private const string UserPrefix = "x-amz-meta-";
    private const int MaxUserBytes = 8 * 1024;
    private static readonly string[] Kept = ["cache-control", "content-disposition", "content-language", "content-type", "expires"];

    public static IReadOnlyDictionary<string, string> Of(S3Request request)
    {
        RefuseWhatIsNotKept(request);
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in Kept)
        {
            if (request.Header(name) is { Length: > 0 } value) headers[name] = value;
        }
        headers.TryAdd("content-type", "binary/octet-stream");
        // aws-chunked is how the body came, not what it is.
        var encodings = (request.Header("content-encoding") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(encoding => encoding != "aws-chunked").ToArray();
        if (encodings.Length > 0) headers["content-encoding"] = string.Join(',', encodings);
        foreach (var (name, values) in request.Context.Request.Headers)
        {
            if (name.StartsWith(UserPrefix, StringComparison.OrdinalIgnoreCase)) headers[name.ToLowerInvariant()] = values.ToString();
        }
        var userBytes = headers.Where(header => header.Key.StartsWith(UserPrefix, StringComparison.Ordinal)).Sum(header => header.Key.Length + header.Value.Length);
        if (userBytes > MaxUserBytes) throw new S3Exception("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size.");
        return headers;
    }

    /// <summary>Whoever asks for encryption or retention relies on it: better no object than an unprotected one.</summary>
    private static void RefuseWhatIsNotKept(S3Request request)
    {
        foreach (var name in request.Context.Request.Headers.Keys)
        {
            if (name.StartsWith("x-amz-server-side-encryption", StringComparison.OrdinalIgnoreCase)) throw S3Errors.NotImplemented("server-side encryption");
            if (name.StartsWith("x-amz-object-lock", StringComparison.OrdinalIgnoreCase)) throw S3Errors.NotImplemented("object lock");
        }
    }
}
