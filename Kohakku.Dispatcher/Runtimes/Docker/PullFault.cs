using System.Net;
using Docker.DotNet;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>A pull that failed, in the engine's words.</summary>
internal sealed class PullException(string words, HttpStatusCode? status, Exception? inner = null) : Exception(words, inner)
{
    // The engine passes on what registries and its own parser say; the status alone does not tell (a refusing registry and
    // a wrong name may both be a 500, depending on when it happened).
    private static readonly string[] FinalWords =
    [
        "not found", "manifest unknown", "name unknown", "repository does not exist", "unauthorized",
        "no basic auth credentials", "invalid reference format", "invalid repository name", "invalid tag format", "no matching manifest", "does not match the specified platform",
        "unsupported media type", "repository name must",
    ];

    private static readonly string[] TransientWords = ["toomanyrequests", "too many requests", "rate limit", "no such host", "timeout", "connection refused"];

    /// <summary>Trying again may help.</summary>
    public bool Transient { get; } = IsTransient(words, status);

    public static PullException From(DockerApiException fault) => new(DockerEngine.Words(fault), fault.StatusCode, fault);

    /// <summary>For a person: what happened and what to do.</summary>
    public LaunchException ForImage(string image) => new(
        FailureReason.ImagePull,
        Transient
            ? $"The image {image} could not be pulled, which may pass: {Message}"
            : $"The image {image} can't be had: {Message}. Check its name, and that its registry lets this host read it without a login.",
        Transient,
        this);

    private static bool IsTransient(string words, HttpStatusCode? status)
    {
        if (TransientWords.Any(word => words.Contains(word, StringComparison.OrdinalIgnoreCase))) return true;
        if (FinalWords.Any(word => words.Contains(word, StringComparison.OrdinalIgnoreCase))) return false;
        // A registry's; not the engine's own, which lacks a right on its disk.
        if (words.Contains("denied", StringComparison.OrdinalIgnoreCase) && !words.Contains("permission denied", StringComparison.OrdinalIgnoreCase)) return false;
        return status is not (HttpStatusCode.NotFound or HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden);
    }
}
