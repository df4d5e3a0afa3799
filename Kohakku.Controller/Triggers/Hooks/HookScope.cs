using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Workflows.Templates;

namespace Kohakku.Controller.Triggers.Hooks;

/// <summary>What the templates of a trigger see.</summary>
internal static class HookScope
{
    private const string Trigger = "trigger";
    private const string Payload = "payload";
    private const string Headers = "headers";
    private const string Event = "event";

    public static readonly IReadOnlyList<string> Names = [Trigger, Payload, Headers, Event];

    public static TemplateScope Of(string trigger, HookMessage message) => new()
    {
        Others = new Dictionary<string, JsonElement>
        {
            [Trigger] = Json(new Dictionary<string, string> { ["name"] = trigger }),
            [Payload] = message.Payload,
            [Headers] = Json(message.Headers),
            [Event] = JsonSerializer.SerializeToElement(message.Event!, ContractsJson.Default.String),
        },
    };

    private static JsonElement Json(IReadOnlyDictionary<string, string> map) => JsonSerializer.SerializeToElement(map, ContractsJson.Default.IReadOnlyDictionaryStringString);
}
