using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Controller.Tasks;

namespace Kohakku.Controller.Data;

/// <summary>JSON that stays within the controller's database; what travels is in <see cref="Contracts.Json.ContractsJson"/>.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(IReadOnlyList<PinnedSkill>))]
internal sealed partial class ControllerJson : JsonSerializerContext;
