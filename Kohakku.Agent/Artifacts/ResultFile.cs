using System.Globalization;
using System.Text.Json;

namespace Kohakku.Agent.Artifacts;

/// <summary>What the agent wrote into <c>output/result.json</c>.</summary>
/// <param name="Output">The JSON, or null.</param>
/// <param name="Fault">Why it can't be used, for a person; null when it can, or is not there.</param>
internal sealed record ResultFile(JsonElement? Output, string? Fault)
{
    public const int LargestSize = 1024 * 1024;

    public static ResultFile Read(OutputFile? file)
    {
        if (file is null) return new ResultFile(null, null);
        if (file.Size > LargestSize)
        {
            return Broken($"it has {file.Size} bytes; at most {LargestSize} become the task's output (larger data is better left as another file there)");
        }
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file.File));
            return new ResultFile(document.RootElement.Clone(), null);
        }
        catch (JsonException fault)
        {
            return Broken(string.Create(CultureInfo.InvariantCulture, $"it is not valid JSON at line {fault.LineNumber + 1}, byte {fault.BytePositionInLine + 1}: {What(fault)}"));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return Broken($"it can't be read: {fault.Message}");
        }
    }

    private static ResultFile Broken(string why) => new(null, $"output/result.json can't be used: {why}.");

    // "'}' is invalid … LineNumber: 0 | BytePositionInLine: 3." — the position is said in our own words.
    private static string What(JsonException fault)
    {
        var end = fault.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (end > 0 ? fault.Message[..end] : fault.Message).TrimEnd('.');
    }
}
