using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Kohakku.Controller.Identity;

/// <summary>Derives an attempt's token from its id: nothing is stored, and a repeated claim answers the same.</summary>
internal sealed class AttemptTokens(ControllerOptions options)
{
    public string Of(Guid attemptId) =>
        Base64Url.EncodeToString(HMACSHA256.HashData(options.SecretKey, Encoding.UTF8.GetBytes($"attempt:{attemptId}")));
}
