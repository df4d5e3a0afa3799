using System.Text.Json;
using System.Text.Json.Nodes;
using Kohakku.Contracts.Triggers;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Console.Triggers;

/// <summary>Between the text of the test form and the API's own types.</summary>
internal static class TriggerTestForm
{
    public static TestTrigger Read(string? payload, string? headers, Faults faults)
    {
        var named = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in (headers ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (line.Split(':', 2, StringSplitOptions.TrimEntries) is [{ Length: > 0 } name, var value]) named[name] = value;
            else faults.Add("headers", $"'{line}' is not name: value");
        }

        return new TestTrigger { Payload = Read(payload, faults), Headers = named };
    }

    /// <summary>Only the first level: what stands deeper is somebody's own.</summary>
    public static JsonElement WithoutNulls(JsonElement value)
    {
        var kept = new JsonObject(value.EnumerateObject().Where(property => property.Value.ValueKind != JsonValueKind.Null)
            .Select(property => KeyValuePair.Create(property.Name, JsonNode.Parse(property.Value.GetRawText()))));
        return JsonElement.Parse(kept.ToJsonString());
    }

    private static JsonElement? Read(string? payload, Faults faults)
    {
        try
        {
            return JsonElement.Parse(string.IsNullOrWhiteSpace(payload) ? "{}" : payload);
        }
        catch (JsonException fault)
        {
            faults.Add("payload", $"is not valid JSON at line {fault.LineNumber + 1}, position {fault.BytePositionInLine + 1}");
            return null;
        }
    }
}
