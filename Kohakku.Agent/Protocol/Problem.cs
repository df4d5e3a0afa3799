using System.Text.Json;

namespace Kohakku.Agent.Protocol;

/// <summary>What an error answer says to a person: a problem's detail or title, else the beginning of its body.</summary>
internal static class Problem
{
    private const int LongestBody = 16 * 1024;
    private const int LongestText = 500;

    public static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = new byte[LongestBody];
        int length;
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
            length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException)
        {
            return fault.Message;
        }
        try
        {
            using var document = JsonDocument.Parse(body.AsMemory(0, length));
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                if (document.RootElement.TryGetProperty("detail", out var detail) && detail.ValueKind == JsonValueKind.String) return detail.GetString()!;
                if (document.RootElement.TryGetProperty("title", out var title) && title.ValueKind == JsonValueKind.String) return title.GetString()!;
            }
        }
        catch (JsonException)
        {
            // Not a problem document: shown as it is.
        }
        var text = System.Text.Encoding.UTF8.GetString(body, 0, Math.Min(length, LongestText)).Trim();
        return text.Length > 0 ? text : response.ReasonPhrase ?? "no detail";
    }
}
