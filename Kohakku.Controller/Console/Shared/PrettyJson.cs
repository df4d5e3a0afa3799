using System.Text.Encodings.Web;
using System.Text.Json;

namespace Kohakku.Controller.Console.Shared;

/// <summary>JSON for a person's eyes.</summary>
internal static class PrettyJson
{
    private static readonly JsonSerializerOptions Options = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Of(JsonElement value) => JsonSerializer.Serialize(value, Options);
}
