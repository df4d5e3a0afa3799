using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kohakku.Controller.Dispatching.Steering;

/// <summary>The bodies of steering; they belong to the API, but no other process needs them.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, PropertyNameCaseInsensitive = false)]
[JsonSerializable(typeof(TellTask))]
[JsonSerializable(typeof(ToldTask))]
internal sealed partial class SteeringJson : JsonSerializerContext;
