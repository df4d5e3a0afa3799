using System.Security.Cryptography;
using System.Text;

namespace Kohakku.Local.ObjectStorage.Authentication;

/// <summary>Day, region and service that a signing key is good for: <c>20260131/us-east-1/s3/aws4_request</c>.</summary>
internal sealed record SigningScope(string Day, string Region)
{
    private const string Service = "s3";
    private const string Terminator = "aws4_request";

    /// <summary>Reads what follows the access key in a credential.</summary>
    public static SigningScope? Parse(string[] parts) =>
        parts is [var day, { Length: > 0 } region, Service, Terminator] && day.Length == 8 ? new SigningScope(day, region) : null;

    public byte[] Key(string secretKey)
    {
        var key = Encoding.UTF8.GetBytes("AWS4" + secretKey);
        foreach (var part in (string[])[Day, Region, Service, Terminator]) key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return key;
    }

    public override string ToString() => $"{Day}/{Region}/{Service}/{Terminator}";
}

/// <summary>A request whose signature was right; chunks of its body are signed on from it.</summary>
/// <param name="Date">As sent: <c>20260131T120000Z</c>.</param>
/// <param name="Signature">Lower-case hex.</param>
/// <param name="PayloadHash">What <c>x-amz-content-sha256</c> said, or <c>UNSIGNED-PAYLOAD</c>.</param>
internal sealed record VerifiedSignature(byte[] Key, string Date, SigningScope Scope, string Signature, string PayloadHash)
{
    /// <summary>The signature of one more piece that follows <paramref name="previous"/>.</summary>
    public string SignNext(string algorithm, string previous, params IEnumerable<string> hashes) =>
        Sign(Key, $"{algorithm}\n{Date}\n{Scope}\n{previous}\n{string.Join('\n', hashes)}");

    public static string Sign(byte[] key, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));

    public static bool Same(string one, string other) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), Encoding.UTF8.GetBytes(other));
}
