using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Contracts.Json;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Definitions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller;

/// <summary>
/// JSON Schemas (draft 2020-12) of what dispatchers and agents say and hear, at <c>/schemas/</c>, for those who write one in another language. Made of the
/// types that the services themselves read and write with; open, as they tell nothing of the installation.
/// </summary>
internal static class WireSchemas
{
    private static readonly ContractsJson Json = ContractsJson.Default;

    private static readonly JsonTypeInfo[] Bodies =
    [
        Json.RegisterDispatcher, Json.DispatcherRegistration, Json.ClaimRequest, Json.ClaimAnswer, Json.HeartbeatRequest, Json.HeartbeatAnswer,
        Json.CallbackBatch, Json.CallbackAnswer,
        Json.PullingData, Json.RunningData, Json.ProgressData, Json.QuestionData, Json.ArtifactData, Json.UsageData, Json.MessageData, Json.EndedData,
        Json.AgentBrief, Json.AgentHeartbeat, Json.AskQuestion, Json.AskedQuestion, Json.QuestionAnswer, Json.AgentResult,
    ];

    private static readonly Lazy<FrozenDictionary<string, string>> All = new(() => Bodies
        .Select(type => KeyValuePair.Create(type.Type.Name, Schema(type, type.Type.Name)))
        .Append(KeyValuePair.Create("AgentEvents", Schema(Json.IReadOnlyListAgentEvent, "AgentEvents")))
        // The workflow language, for editors.
        .Append(KeyValuePair.Create("workflow", WorkflowSchema.Json))
        .ToFrozenDictionary(StringComparer.Ordinal));

    public static void MapWireSchemas(this IEndpointRouteBuilder endpoints)
    {
        var schemas = endpoints.MapGroup("/schemas").ExcludeFromDescription().AllowAnonymous();
        schemas.MapGet("/", List);
        schemas.MapGet("/{name}.json", Read);
    }

    private static ContentHttpResult List() => TypedResults.Content(
        new JsonObject { ["schemas"] = new JsonArray([.. All.Value.Keys.Order(StringComparer.Ordinal).Select(name => (JsonNode)$"/schemas/{name}.json")]) }.ToJsonString(),
        "application/json");

    private static Results<ContentHttpResult, ProblemHttpResult> Read(string name) => All.Value.TryGetValue(name, out var schema)
        ? TypedResults.Content(schema, "application/schema+json")
        : Problems.NotFound($"There is no schema '{name}'; /schemas/ lists them all.");

    private static string Schema(JsonTypeInfo type, string title)
    {
        var schema = type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Refine }).AsObject();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", title);
        return schema.ToJsonString(new JsonSerializerOptions(type.Options) { WriteIndented = true });
    }

    /// <summary>What our own converters hide from the exporter: the words of an enumeration.</summary>
    private static JsonNode Refine(JsonSchemaExporterContext context, JsonNode schema)
    {
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        if (!type.IsEnum) return schema;
        var words = Enum.GetNames(type).Select(name => (JsonNode?)JsonNamingPolicy.CamelCase.ConvertName(name)).ToList();
        if (type != context.TypeInfo.Type) words.Add(null);
        return new JsonObject { ["enum"] = new JsonArray([.. words]) };
    }
}
