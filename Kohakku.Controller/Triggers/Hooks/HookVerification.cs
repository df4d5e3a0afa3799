using System.Security.Cryptography;
using System.Text;
using Kohakku.Contracts.Signing;
using Kohakku.Contracts.Triggers;

namespace Kohakku.Controller.Triggers.Hooks;

/// <summary>Whether a call was made by somebody who knows the secret. Pure, and in constant time for a given length of body and headers.</summary>
internal static class HookVerification
{
    public const string GithubHeader = "X-Hub-Signature-256";
    private const string GithubPrefix = "sha256=";
    private const string BearerPrefix = "Bearer ";
    private static readonly string[] TokenHeaders = ["X-Kohakku-Token", "X-Gitlab-Token"];

    /// <param name="secret">It fits the verification, by <see cref="TriggerRules.SecretFault"/>.</param>
    public static SignatureVerdict Verify(TriggerVerification verify, string secret, IHeaderDictionary headers, ReadOnlySpan<byte> body, DateTimeOffset now) => verify switch
    {
        TriggerVerification.Github => Github(secret, headers[GithubHeader].ToString(), body),
        TriggerVerification.Standard => StandardWebhooks.Verify(
            [StandardWebhooks.KeyBytes(secret)], headers[StandardWebhooks.IdHeader], headers[StandardWebhooks.TimestampHeader], headers[StandardWebhooks.SignatureHeader], body, now),
        TriggerVerification.Token => Token(secret, headers),
        _ => SignatureVerdict.Malformed,
    };

    /// <summary>As GitHub signs: <c>sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17</c>.</summary>
    public static string SignGithub(string secret, ReadOnlySpan<byte> body) =>
        GithubPrefix + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body));

    private static SignatureVerdict Github(string secret, string signature, ReadOnlySpan<byte> body)
    {
        var expected = Encoding.ASCII.GetBytes(SignGithub(secret, body));
        var isGenuine = CryptographicOperations.FixedTimeEquals(expected, Encoding.UTF8.GetBytes(signature));
        return isGenuine ? SignatureVerdict.Valid : signature.StartsWith(GithubPrefix, StringComparison.Ordinal) ? SignatureVerdict.Forged : SignatureVerdict.Malformed;
    }

    private static SignatureVerdict Token(string secret, IHeaderDictionary headers)
    {
        var expected = Hash(secret);
        var isGenuine = false;
        var isGiven = false;
        foreach (var token in Tokens(headers))
        {
            isGiven |= token.Length > 0;
            // By their hashes, which have one length: nothing tells how long the secret is.
            isGenuine |= CryptographicOperations.FixedTimeEquals(expected, Hash(token));
        }

        return isGenuine ? SignatureVerdict.Valid : isGiven ? SignatureVerdict.Forged : SignatureVerdict.Malformed;
    }

    private static IEnumerable<string> Tokens(IHeaderDictionary headers)
    {
        var authorization = headers.Authorization.ToString();
        yield return authorization.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase) ? authorization[BearerPrefix.Length..].Trim() : "";
        foreach (var header in TokenHeaders) yield return headers[header].ToString();
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
