using System.Security.Cryptography;
using System.Text;
using Kohakku.Dispatcher.Data;
using Kohakku.ServiceDefaults;

namespace Kohakku.Tests.Dispatcher.Data;

public sealed class SecretSealTests
{
    private static readonly byte[] Old = RandomNumberGenerator.GetBytes(32);
    private static readonly byte[] New = RandomNumberGenerator.GetBytes(32);
    private static readonly Dictionary<string, string> Secrets = new() { ["TOKEN"] = "hunter2hunter2" };

    [Fact]
    public void Sealed_secrets_open_again_also_after_the_key_was_rotated()
    {
        var id = Guid.NewGuid();
        var packed = new SecretSeal(new SigningKeys([Old])).Seal(id, Secrets)!;
        Assert.DoesNotContain("hunter2", Encoding.UTF8.GetString(packed));
        Assert.Equal(Secrets, new SecretSeal(new SigningKeys([New, Old])).Open(id, packed));
    }

    [Fact]
    public void They_open_under_no_other_key_and_for_no_other_attempt()
    {
        var id = Guid.NewGuid();
        var seal = new SecretSeal(new SigningKeys([Old]));
        var packed = seal.Seal(id, Secrets)!;
        Assert.Throws<CryptographicException>(() => new SecretSeal(new SigningKeys([New])).Open(id, packed));
        Assert.Throws<CryptographicException>(() => seal.Open(Guid.NewGuid(), packed));
    }
}
