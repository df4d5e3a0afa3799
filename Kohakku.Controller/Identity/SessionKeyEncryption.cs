using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Kohakku.Controller.Identity;

/// <summary>
/// Encrypts session keys at rest, with a key derived from <c>KOHAKKU_SECRET_KEY</c>. With another secret the old ones can't be read: data
/// protection says so in the log, makes a new one, and everyone has to log in again.
/// </summary>
internal sealed class SessionKeyEncryption(ControllerOptions options) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement)
    {
        var plain = Encoding.UTF8.GetBytes(plaintextElement.ToString(SaveOptions.DisableFormatting));
        return new EncryptedXmlInfo(new XElement("encryptedKey", Convert.ToBase64String(SealOf(options).Seal(plain, []))), typeof(SessionKeyDecryption));
    }

    internal static SecretSeal SealOf(ControllerOptions options) => new(options, "session-keys");
}

/// <summary>Undoes <see cref="SessionKeyEncryption"/>; data protection makes it by the type's name, which stands in the database.</summary>
internal sealed class SessionKeyDecryption(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement)
    {
        var seal = SessionKeyEncryption.SealOf(services.GetRequiredService<ControllerOptions>());
        return XElement.Parse(Encoding.UTF8.GetString(seal.Open(Convert.FromBase64String(encryptedElement.Value), [])));
    }
}
