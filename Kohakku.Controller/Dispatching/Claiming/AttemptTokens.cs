using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Kohakku.Controller.Dispatching.Claiming;

/// <summary>
/// An attempt's token opens that attempt on the agent protocol and nothing else. Derived from its id and the installation's secret, so that it is
/// stored nowhere and a repeated claim answers the same.
/// </summary>
internal sealed class AttemptTokens(byte[] secret)
{
    // Known to everyone who reads this; AppHost hands out a random one.
    private static readonly byte[] DevelopmentSecret = "kohakku-development-secret-key-not-a-secret"u8.ToArray();

    /// <param name="secret">KOHAKKU_SECRET_KEY; null in Development.</param>
    public static AttemptTokens From(string? secret) => new(secret is null ? DevelopmentSecret : Encoding.UTF8.GetBytes(secret));

    public string Of(Guid attemptId) => Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"attempt:{attemptId}")));
}
