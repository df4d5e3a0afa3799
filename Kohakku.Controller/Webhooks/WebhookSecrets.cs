using System.Security.Cryptography;
using Kohakku.Controller.Identity;

namespace Kohakku.Controller.Webhooks;

/// <summary>The secrets that deliveries are signed with: 32 random bytes, on the wire <c>whsec_</c> and base64, at rest sealed for the webhook they belong to.</summary>
internal sealed class WebhookSecrets(ControllerOptions options)
{
    private const int Bytes = 32;
    private readonly SecretSeal _seal = new(options, "webhooks");

    /// <summary>A new one: what is kept, and what is shown once.</summary>
    public (byte[] Sealed, string Shown) Make(Guid webhookId)
    {
        var secret = RandomNumberGenerator.GetBytes(Bytes);
        return (_seal.Seal(secret, webhookId.ToByteArray()), $"whsec_{Convert.ToBase64String(secret)}");
    }

    /// <exception cref="CryptographicException">It was made with another <c>KOHAKKU_SECRET_KEY</c>.</exception>
    public byte[] Open(Guid webhookId, byte[] sealedSecret) => _seal.Open(sealedSecret, webhookId.ToByteArray());
}
