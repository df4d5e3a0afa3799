using System.Security.Cryptography;
using System.Text;

namespace Kohakku.Controller.Identity;

/// <summary>
/// Seals secrets for the database by AES-256-GCM, with a key for each purpose derived from <c>KOHAKKU_SECRET_KEY</c>. What is sealed is nonce (12 bytes), tag (16
/// bytes) and cipher text. With another <c>KOHAKKU_SECRET_KEY</c> none of it can be opened.
/// </summary>
internal sealed class SecretSeal(ControllerOptions options, string purpose)
{
    private static readonly int NonceBytes = AesGcm.NonceByteSizes.MaxSize;
    private static readonly int TagBytes = AesGcm.TagByteSizes.MaxSize;
    private readonly byte[] _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, options.SecretKey, 32, info: Encoding.UTF8.GetBytes($"kohakku:{purpose}"));

    /// <param name="owner">What it belongs to, for example a row's id: it opens for no other, so that nobody who writes to the database can pass one secret off as another.</param>
    public byte[] Seal(ReadOnlySpan<byte> secret, ReadOnlySpan<byte> owner)
    {
        var sealedSecret = new byte[NonceBytes + TagBytes + secret.Length];
        var nonce = sealedSecret.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(_key, TagBytes);
        aes.Encrypt(nonce, secret, sealedSecret.AsSpan(NonceBytes + TagBytes), sealedSecret.AsSpan(NonceBytes, TagBytes), owner);
        return sealedSecret;
    }

    /// <exception cref="CryptographicException">It was sealed with another key or for another owner, or was changed since.</exception>
    public byte[] Open(ReadOnlySpan<byte> sealedSecret, ReadOnlySpan<byte> owner)
    {
        if (sealedSecret.Length < NonceBytes + TagBytes) throw new CryptographicException("A sealed secret has been cut short.");
        var secret = new byte[sealedSecret.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(_key, TagBytes);
        aes.Decrypt(sealedSecret[..NonceBytes], sealedSecret[(NonceBytes + TagBytes)..], sealedSecret.Slice(NonceBytes, TagBytes), secret, owner);
        return secret;
    }
}
