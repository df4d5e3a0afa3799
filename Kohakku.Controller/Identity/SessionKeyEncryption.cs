using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Kohakku.Controller.Identity;

/// <summary>
/// Encrypts session keys at rest by AES-256-GCM, with a key derived from <c>KOHAKKU_SECRET_KEY</c>. With another secret the old ones can't be read: data
/// protection says so in the log, makes a new one, and everyone has to log in again.
/// </summary>
internal sealed class SessionKeyEncryption(ControllerOptions options) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        var nonce = RandomNumberGenerator.GetBytes(AesGcm.NonceByteSizes.MaxSize);
        var tag = new byte[AesGcm.TagByteSizes.MaxSize];
        var cipher = new byte[plain.Length];
        using var aes = new AesGcm(KeyOf(options), tag.Length);
        aes.Encrypt(nonce, plain, cipher, tag);
        return new EncryptedXmlInfo(
            new XElement("encryptedKey", new XAttribute("nonce", Convert.ToBase64String(nonce)), new XAttribute("tag", Convert.ToBase64String(tag)), Convert.ToBase64String(cipher)),
            typeof(SessionKeyDecryption));
    }

    internal static byte[] KeyOf(ControllerOptions options) => HKDF.DeriveKey(HashAlgorithmName.SHA256, options.SecretKey, 32, info: "kohakku:session-keys"u8.ToArray());
}

/// <summary>Undoes <see cref="SessionKeyEncryption"/>; data protection makes it by the type's name, which stands in the database.</summary>
internal sealed class SessionKeyDecryption(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement)
    {
        var cipher = Convert.FromBase64String(encryptedElement.Value);
        var tag = Convert.FromBase64String((string)encryptedElement.Attribute("tag")!);
        var plain = new byte[cipher.Length];
        using var aes = new AesGcm(SessionKeyEncryption.KeyOf(services.GetRequiredService<ControllerOptions>()), tag.Length);
        aes.Decrypt(Convert.FromBase64String((string)encryptedElement.Attribute("nonce")!), cipher, tag, plain);
        return XElement.Parse(Encoding.UTF8.GetString(plain));
    }
}
