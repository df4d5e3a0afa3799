using System.Security.Cryptography;
using System.Text;
using Kohakku.Controller.Identity;

namespace Kohakku.Controller.Triggers;

/// <summary>Keeps triggers' secrets sealed, each for its own trigger.</summary>
internal sealed class TriggerSecrets(ControllerOptions options)
{
    private readonly SecretSeal _seal = new(options, "triggers");

    public byte[] Seal(Guid triggerId, string secret) => _seal.Seal(Encoding.UTF8.GetBytes(secret), triggerId.ToByteArray());

    /// <summary>Null: with this <c>KOHAKKU_SECRET_KEY</c> it can't be opened.</summary>
    public string? Open(Guid triggerId, byte[] sealedSecret)
    {
        try
        {
            return Encoding.UTF8.GetString(_seal.Open(sealedSecret, triggerId.ToByteArray()));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
