using System.Text.Json.Serialization;

namespace Kohakku.Workflows.Definitions;

/// <summary>Source-generated metadata of what this folder writes as JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(WorkflowDefinition))]
[JsonSerializable(typeof(PlanView))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(bool))]
public sealed partial class DefinitionJson : JsonSerializerContext;
