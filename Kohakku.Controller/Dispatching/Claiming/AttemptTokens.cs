using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Kohakku.Controller.Identity;

namespace Kohakku.Controller.Dispatching.Claiming;

/// <summary>
/// An attempt's token opens that attempt on the agent protocol and nothing else. Derived from its id and the installation's secret, so that it is
/// stored nowhere and a repeated claim answers the same.
/// </summary>
internal sealed class AttemptTokens(ControllerOptions options)
{
    public string Of(Guid attemptId) => Base64Url.EncodeToString(HMACSHA256.HashData(options.SecretKey, Encoding.UTF8.GetBytes($"attempt:{attemptId}")));
}
