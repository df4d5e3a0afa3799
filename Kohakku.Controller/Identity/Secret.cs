using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Kohakku.Controller.Identity;

/// <summary>Random text that opens something, of which the database keeps but the hash.</summary>
internal static class Secret
{
    private const int Bytes = 32;

    /// <param name="prefix">Tells a person, or a scanner of repositories, what it is.</param>
    public static string New(string prefix) => prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(Bytes));

    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
