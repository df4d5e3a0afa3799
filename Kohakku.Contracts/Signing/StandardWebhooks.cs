using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Kohakku.Contracts.Signing;

/// <summary>How a signature check ended.</summary>
public enum SignatureVerdict
{
    Valid,
    /// <summary>A header is missing or can't be read.</summary>
    Malformed,
    /// <summary>The timestamp is more than <see cref="StandardWebhooks.Tolerance"/> from this clock, though the signature is right.</summary>
    ClockSkew,
    /// <summary>No key made any of the signatures.</summary>
    Forged,
}

/// <summary>
/// Signs and verifies by Standard Webhooks 1.0.0 (standardwebhooks.com): HMAC-SHA256 over <c>id.timestamp.content</c>, sent as
/// <c>v1,base64</c>, several separated by spaces while keys rotate. Outgoing webhooks sign the body; between Kohakku's
/// own processes the content is <c>METHOD path?query.body</c>, so that a call can't be replayed elsewhere.
/// </summary>
public static class StandardWebhooks
{
    public const string IdHeader = "webhook-id";
    public const string TimestampHeader = "webhook-timestamp";
    public const string SignatureHeader = "webhook-signature";

    /// <summary>How far a timestamp may lie from the verifier's clock, both ways.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    private const string SecretPrefix = "whsec_";
    private const string Version = "v1,";

    /// <summary>The bytes of a key: <c>whsec_</c> + base64, else the text's UTF-8.</summary>
    /// <exception cref="FormatException">What follows <c>whsec_</c> is not base64.</exception>
    public static byte[] KeyBytes(string key) => key.StartsWith(SecretPrefix, StringComparison.Ordinal)
        ? Convert.FromBase64String(key[SecretPrefix.Length..])
        : Encoding.UTF8.GetBytes(key);

    /// <summary>What is signed between Kohakku's own processes.</summary>
    /// <param name="pathAndQuery">As on the request line, for example <c>/api/v1/callbacks</c>.</param>
    public static byte[] RequestContent(string method, string pathAndQuery, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes($"{method} {pathAndQuery}.");
        return [.. head, .. body];
    }

    /// <summary>One signature with one key: <c>v1,base64</c>.</summary>
    /// <param name="timestamp">Unix seconds.</param>
    public static string Sign(ReadOnlySpan<byte> key, string id, long timestamp, ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Hash(key, id, timestamp, content, hash);
        return Version + Convert.ToBase64String(hash);
    }

    /// <summary>Checks the three headers against any of the keys, in constant time for each pair of key and signature.</summary>
    public static SignatureVerdict Verify(
        IReadOnlyList<byte[]> keys, string? id, string? timestamp, string? signatures, ReadOnlySpan<byte> content, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(id) || string.IsNullOrEmpty(signatures)
            || !long.TryParse(timestamp, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
            return SignatureVerdict.Malformed;

        var genuine = false;
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        foreach (var key in keys)
        {
            Hash(key, id, seconds, content, expected);
            foreach (var range in signatures.AsSpan().Split(' '))
            {
                if (TryDecode(signatures.AsSpan()[range], given))
                    genuine |= CryptographicOperations.FixedTimeEquals(expected, given);
            }
        }

        if (!genuine) return SignatureVerdict.Forged;
        // Compared without making a date of it: a forged or broken clock may lie outside what a date can hold.
        var skew = (decimal)now.ToUnixTimeSeconds() - seconds;
        return Math.Abs(skew) <= (decimal)Tolerance.TotalSeconds ? SignatureVerdict.Valid : SignatureVerdict.ClockSkew;
    }

    private static void Hash(ReadOnlySpan<byte> key, string id, long timestamp, ReadOnlySpan<byte> content, Span<byte> hash)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        hmac.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.")));
        hmac.AppendData(content);
        hmac.GetHashAndReset(hash);
    }

    private static bool TryDecode(ReadOnlySpan<char> signature, Span<byte> hash) =>
        signature.StartsWith(Version, StringComparison.Ordinal)
        && Base64.IsValid(signature[Version.Length..], out var length) && length == hash.Length
        && Convert.TryFromBase64Chars(signature[Version.Length..], hash, out var written) && written == hash.Length;
}
