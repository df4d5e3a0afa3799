using System.Text;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary>Checks where an agent wants its artifact: a relative path that stays in its folder.</summary>
internal static class ArtifactPath
{
    // S3 keys have at most 1,024 bytes, of which artifacts/{task}/{attempt}/ takes its part.
    private const int LongestBytes = 900;

    /// <returns>What is wrong with it, in words; null when it is fine.</returns>
    public static string? FaultOf(string path)
    {
        if (path.Length == 0) return "must not be empty";
        if (Encoding.UTF8.GetByteCount(path) > LongestBytes) return $"must have at most {LongestBytes} bytes";
        if (path.Any(char.IsControl) || path.Contains('\\')) return "must not have control characters or backslashes";
        // What routing leaves encoded, so that it is not taken for a separator.
        if (path.Contains("%2f", StringComparison.OrdinalIgnoreCase)) return "must not have encoded slashes";
        if (path.Split('/').Any(part => part is "" or "." or "..")) return "must be relative and stay in the folder: no empty parts, no . and no ..";
        return null;
    }
}
