using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Kohakku.Local.ObjectStorage.Authentication;

/// <summary>The canonical form of a request by AWS Signature Version 4, as S3 has it: each part of the path encoded once.</summary>
internal static partial class CanonicalRequest
{
    private const string Unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    /// <summary>
    /// Lower-case hex of the SHA-256 of<code>
    /// PUT
    /// /bucket/key%20with%20space
    /// uploadId=x
    /// host:localhost:9000
    /// x-amz-date:20260131T120000Z
    ///
    /// host;x-amz-date
    /// UNSIGNED-PAYLOAD</code>
    /// </summary>
    public static string Hash(S3Request request, IReadOnlyList<string> signedHeaders, string payloadHash)
    {
        var text = new StringBuilder();
        text.Append(request.Method).Append('\n');
        text.Append(Encode(request.Path, keepSlash: true)).Append('\n');
        text.AppendJoin('&', request.Query
            .Where(pair => pair.Key != "X-Amz-Signature")
            .Select(pair => (Name: Encode(pair.Key), Value: Encode(pair.Value)))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal).ThenBy(pair => pair.Value, StringComparer.Ordinal)
            .Select(pair => $"{pair.Name}={pair.Value}"));
        text.Append('\n');
        foreach (var name in signedHeaders)
        {
            var values = request.Context.Request.Headers[name].Select(value => Spaces().Replace((value ?? "").Trim(), " "));
            text.Append(name).Append(':').AppendJoin(',', values).Append('\n');
        }
        text.Append('\n').AppendJoin(';', signedHeaders).Append('\n').Append(payloadHash);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    /// <summary>Percent-encodes all but the unreserved characters, upper-case, as S3 does in keys of a listing too.</summary>
    public static string Encode(string text, bool keepSlash = false)
    {
        var encoded = new StringBuilder(text.Length);
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            if (Unreserved.Contains((char)value, StringComparison.Ordinal) || (keepSlash && value == '/')) encoded.Append((char)value);
            else encoded.Append('%').Append(value.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return encoded.ToString();
    }

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
