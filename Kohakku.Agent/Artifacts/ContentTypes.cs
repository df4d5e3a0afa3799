namespace Kohakku.Agent.Artifacts;

/// <summary>Media types of what agents usually leave, so that a browser shows it.</summary>
internal static class ContentTypes
{
    public const string Unknown = "application/octet-stream";

    public static string Of(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".md" => "text/markdown; charset=utf-8",
        ".txt" or ".log" or ".diff" or ".patch" or ".yaml" or ".yml" => "text/plain; charset=utf-8",
        ".csv" => "text/csv; charset=utf-8",
        ".html" or ".htm" => "text/html; charset=utf-8",
        ".json" => "application/json",
        ".xml" => "application/xml",
        ".pdf" => "application/pdf",
        ".zip" => "application/zip",
        ".gz" or ".tgz" => "application/gzip",
        ".png" => "image/png",
        ".jpg" or ".jpeg" => "image/jpeg",
        ".gif" => "image/gif",
        ".svg" => "image/svg+xml",
        ".webp" => "image/webp",
        _ => Unknown,
    };
}
