using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.AgentProtocol;

namespace Kohakku.Agent.Protocol;

/// <summary>
/// The wire types that the runner uses, read and written as Kohakku.Contracts does. A context of its own, since one context brings
/// the code for all its types into the native binary, and most of the contracts' are not the runner's.
/// </summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never, AllowDuplicateProperties = false, NumberHandling = JsonNumberHandling.Strict,
    PropertyNameCaseInsensitive = false)]
[JsonSerializable(typeof(AgentBrief))]
[JsonSerializable(typeof(AgentHeartbeat))]
[JsonSerializable(typeof(IReadOnlyList<AgentEvent>))]
[JsonSerializable(typeof(AgentResult))]
internal sealed partial class RunnerJson : JsonSerializerContext;
