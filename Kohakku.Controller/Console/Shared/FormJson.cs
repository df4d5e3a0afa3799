using System.Text.Json;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Console.Shared;

/// <summary>JSON that a person wrote into a field.</summary>
internal static class FormJson
{
    /// <summary>Null where the field is empty, and where it can't be read: then it goes to <paramref name="faults"/>.</summary>
    public static JsonElement? Read(string? text, string field, Faults faults)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException fault)
        {
            faults.Add(field, $"is not valid JSON at line {fault.LineNumber + 1}, position {fault.BytePositionInLine + 1}");
            return null;
        }
    }
}
