using System.Collections;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Kohakku.Workflows.Definitions;

/// <summary>
/// A definition as it is stored and interpreted: JSON without nulls and defaults, in the order of the properties of <see cref="WorkflowDefinition"/>. Two
/// documents that mean the same have the same, whatever their spacing, quotes and order of keys.
/// </summary>
public static class CanonicalForm
{
    private static readonly JsonSerializerOptions Options = new(DefinitionJson.Default.Options)
    {
        TypeInfoResolver = DefinitionJson.Default.WithAddedModifier(LeaveOutDefaults),
        // Letters stay as they are: it is JSON in a database, not in HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Write(WorkflowDefinition definition) => JsonSerializer.Serialize(definition, (JsonTypeInfo<WorkflowDefinition>)Options.GetTypeInfo(typeof(WorkflowDefinition)));

    /// <exception cref="JsonException">It is not what <see cref="Write"/> wrote.</exception>
    public static WorkflowDefinition Read(string canonical) => CanonicalDefaults.PutBack(
        JsonSerializer.Deserialize(canonical, (JsonTypeInfo<WorkflowDefinition>)Options.GetTypeInfo(typeof(WorkflowDefinition)))
        ?? throw new JsonException("A definition must not be null."));

    private static void LeaveOutDefaults(JsonTypeInfo type)
    {
        foreach (var property in type.Properties.Where(property => !property.IsRequired))
        {
            var usual = Usual(type.Type, property.Name);
            property.ShouldSerialize = (_, value) => value is not null && !value.Equals(usual) && value is not ICollection { Count: 0 };
        }
    }

    private static object? Usual(Type type, string property) => (type.Name, property) switch
    {
        (nameof(StepDefinition), "maxAttempts") or (nameof(ConcurrencyDefinition), "limit") => 1,
        (nameof(ApprovalStep), "onTimeout") => "reject",
        (nameof(WebhookStep), "method") => "POST",
        (nameof(AgentStep), "priority") => 0,
        (nameof(StepDefinition), "continueOnError") or (nameof(InputDefinition), "required") => false,
        _ => null,
    };
}
