using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Kohakku.Local.ObjectStorage;

/// <summary>
/// What the request line asks for. It is read from the raw target, because a key may hold what the web server would
/// normalize away: <c>a//b</c>, <c>..</c>, an encoded slash.
/// </summary>
internal sealed class S3Request
{
    private const int MaxKeyBytes = 1024;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private S3Request(HttpContext context, string path, IReadOnlyList<KeyValuePair<string, string>> query)
    {
        Context = context;
        Path = path;
        Query = query;
        var slash = path.IndexOf('/', 1);
        Bucket = slash < 0 ? path[1..] : path[1..slash];
        Key = slash < 0 ? "" : path[(slash + 1)..];
        if (StrictUtf8.GetByteCount(Key) > MaxKeyBytes) throw S3Errors.KeyTooLong();
    }

    public HttpContext Context { get; }
    public string Method => Context.Request.Method;
    /// <summary>Decoded, with the leading slash.</summary>
    public string Path { get; }
    public string Bucket { get; }
    /// <summary>Empty where the request is about the bucket.</summary>
    public string Key { get; }
    /// <summary>Decoded, in the order of the request line.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Query { get; }

    public static S3Request Read(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (!target.StartsWith('/'))
        {
            // Absolute form, as through a proxy.
            if (!Uri.TryCreate(target, UriKind.Absolute, out var absolute)) throw S3Errors.InvalidUri();
            target = absolute.PathAndQuery;
        }
        var mark = target.IndexOf('?', StringComparison.Ordinal);
        var path = Decode(mark < 0 ? target : target[..mark]);
        return new S3Request(context, path, mark < 0 ? [] : ReadQuery(target[(mark + 1)..]));
    }

    public bool Has(string name) => Query.Any(pair => pair.Key == name);

    public string? Value(string name) => Query.FirstOrDefault(pair => pair.Key == name).Value;

    public string? Header(string name) => Context.Request.Headers.TryGetValue(name, out var values) && values.Count > 0 ? values.ToString() : null;

    /// <summary>A whole number of the query, within bounds.</summary>
    public int Number(string name, int fallback, int min, int max)
    {
        if (Value(name) is not { Length: > 0 } text) return fallback;
        if (!int.TryParse(text, out var value) || value < min) throw S3Errors.InvalidArgument($"{name} must be a whole number from {min} to {max}.");
        return Math.Min(value, max);
    }

    /// <exception cref="S3Exception">What the percent signs encode is not UTF-8.</exception>
    public static string Decode(string encoded)
    {
        if (!encoded.Contains('%', StringComparison.Ordinal)) return encoded;
        var bytes = new List<byte>(encoded.Length);
        for (var i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] != '%')
                bytes.AddRange(Encoding.UTF8.GetBytes(encoded, i, 1));
            else if (i + 2 < encoded.Length && char.IsAsciiHexDigit(encoded[i + 1]) && char.IsAsciiHexDigit(encoded[i + 2]))
                bytes.Add(Convert.ToByte(encoded.Substring((i += 2) - 1, 2), 16));
            else
                throw S3Errors.InvalidUri();
        }
        try
        {
            return StrictUtf8.GetString([.. bytes]);
        }
        catch (DecoderFallbackException)
        {
            throw S3Errors.InvalidUri();
        }
    }

    private static List<KeyValuePair<string, string>> ReadQuery(string query)
    {
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var part in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? part : part[..equals];
            var value = equals < 0 ? "" : part[(equals + 1)..];
            pairs.Add(new(Decode(name.Replace('+', ' ')), Decode(value.Replace('+', ' '))));
        }
        return pairs;
    }
}
