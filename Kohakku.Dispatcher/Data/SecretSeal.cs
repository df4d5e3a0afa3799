using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher.Data;

/// <summary>
/// Encrypts the secrets of an order while it lies in the database: AES-256-GCM under a key derived from <c>CALLBACK_SIGNING_KEY</c>
/// (the newest seals, any opens, so that rotation loses nothing). Layout: nonce (12), tag (16), ciphertext; bound to the attempt's id.
/// </summary>
internal sealed class SecretSeal(SigningKeys signing)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private readonly IReadOnlyList<byte[]> keys =
        [.. signing.Keys.Select(key => HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 32, info: Encoding.UTF8.GetBytes("kohakku dispatcher secrets")))];

    /// <returns>Null when there are none.</returns>
    public byte[]? Seal(Guid attemptId, IReadOnlyDictionary<string, string> secrets)
    {
        if (secrets.Count == 0) return null;
        var plain = JsonSerializer.SerializeToUtf8Bytes(secrets, ContractsJson.Default.IReadOnlyDictionaryStringString);
        var packed = new byte[NonceBytes + TagBytes + plain.Length];
        var nonce = packed.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(keys[0], TagBytes);
        cipher.Encrypt(nonce, plain, packed.AsSpan(NonceBytes + TagBytes), packed.AsSpan(NonceBytes, TagBytes), attemptId.ToByteArray());
        return packed;
    }

    /// <exception cref="CryptographicException">No key opens it.</exception>
    public IReadOnlyDictionary<string, string> Open(Guid attemptId, byte[]? packed)
    {
        if (packed is null) return new Dictionary<string, string>();
        var plain = new byte[packed.Length - NonceBytes - TagBytes];
        foreach (var key in keys)
        {
            try
            {
                using var cipher = new AesGcm(key, TagBytes);
                cipher.Decrypt(packed.AsSpan(0, NonceBytes), packed.AsSpan(NonceBytes + TagBytes), packed.AsSpan(NonceBytes, TagBytes), plain, attemptId.ToByteArray());
                return JsonSerializer.Deserialize(plain, ContractsJson.Default.IReadOnlyDictionaryStringString)!;
            }
            catch (AuthenticationTagMismatchException)
            {
                // Sealed under another key.
            }
        }
        throw new CryptographicException("No key of CALLBACK_SIGNING_KEY opens this attempt's secrets.");
    }
}
