using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Kohakku.Contracts.Triggers;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Kohakku.Controller.Triggers.Hooks;

/// <summary>What a genuine call says, as templates see it.</summary>
/// <param name="Headers">By name in lower case, without those that prove or let in.</param>
internal sealed record HookMessage(JsonElement Payload, IReadOnlyDictionary<string, string> Headers)
{
    private const int ExcerptBytes = 4_000;
    private const string FormField = "payload";

    /// <summary>Whoever may write a template must not learn from it what lets others in.</summary>
    private static readonly string[] Secretive = ["authorization", "cookie", "signature", "token", "secret", "password", "api-key", "apikey"];

    /// <summary>What the sender calls it, where it does.</summary>
    public string? Event => Header("x-github-event") ?? Header("x-gitlab-event") ?? (Payload.ValueKind == JsonValueKind.Object && Payload.TryGetProperty("type", out var type) ? Text(type) : null);

    /// <summary>How the payload begins.</summary>
    public string Excerpt
    {
        get
        {
            var raw = JsonMarshal.GetRawUtf8Value(Payload);
            if (raw.Length <= ExcerptBytes) return Encoding.UTF8.GetString(raw);
            var end = ExcerptBytes;
            // Not within a character.
            while ((raw[end] & 0xC0) == 0x80) end--;
            return Encoding.UTF8.GetString(raw[..end]);
        }
    }

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>A body of JSON, or of a form with JSON in its field <c>payload</c>, as GitHub sends it where it is asked to.</summary>
    /// <param name="fault">The field and the rule it breaks, where the answer is null.</param>
    public static HookMessage? Read(IHeaderDictionary headers, byte[] body, out (string Field, string Rule) fault)
    {
        fault = default;
        var (field, json) = ("body", (ReadOnlyMemory<byte>)body);
        if (MediaTypeHeaderValue.TryParse(headers.ContentType.ToString(), out var type) && type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
            (field, json) = (FormField, Encoding.UTF8.GetBytes(FormValue(Encoding.UTF8.GetString(body)) ?? ""));
        if (json.IsEmpty) fault = (field, "is required");
        else if (!Utf8.IsValid(json.Span)) fault = (field, "must be UTF-8");
        else
        {
            try
            {
                return new HookMessage(JsonElement.Parse(json.Span), Visible(headers.Select(header => (header.Key, header.Value.ToString()))));
            }
            catch (JsonException exception)
            {
                fault = (field, FormattableString.Invariant($"is not valid JSON at line {exception.LineNumber + 1 ?? 1}, byte {exception.BytePositionInLine + 1 ?? 1}"));
            }
        }

        return null;
    }

    public static HookMessage Of(TestTrigger test) => new(
        test.Payload is { ValueKind: not JsonValueKind.Undefined } payload ? payload : JsonElement.Parse("{}"), Visible((test.Headers ?? new Dictionary<string, string>()).Select(pair => (pair.Key, pair.Value))));

    private static Dictionary<string, string> Visible(IEnumerable<(string Name, string Value)> headers)
    {
        var visible = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in headers)
        {
            var lower = name.Trim().ToLowerInvariant();
            if (!Array.Exists(Secretive, word => lower.Contains(word, StringComparison.Ordinal))) visible[lower] = value;
        }

        return visible;
    }

    private static string? FormValue(string form)
    {
        foreach (var pair in new QueryStringEnumerable(form))
        {
            if (pair.DecodeName().Span.SequenceEqual(FormField)) return pair.DecodeValue().ToString();
        }

        return null;
    }

    private static string? Text(JsonElement element)
    {
        try
        {
            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair.
            return null;
        }
    }
}
