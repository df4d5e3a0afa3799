using Microsoft.AspNetCore.WebUtilities;

namespace Kohakku.ServiceDefaults;

/// <summary>What the problem types are called: short words that a client compares, relative to this API.</summary>
internal static class ProblemTypes
{
    public static string TypeOf(int status) => status switch
    {
        400 => "bad-request",
        401 => "unauthorized",
        403 => "forbidden",
        404 => "not-found",
        405 => "method-not-allowed",
        409 => "conflict",
        413 => "too-large",
        415 => "unsupported-media-type",
        416 => "range-not-satisfiable",
        422 => "invalid-fields",
        429 => "too-many-requests",
        503 => "unavailable",
        >= 500 => "internal-error",
        _ => "about:blank",
    };

    public static string TitleOf(int status) => status switch
    {
        413 => "Too Large",
        422 => "Invalid Fields",
        _ => ReasonPhrases.GetReasonPhrase(status) is { Length: > 0 } phrase ? phrase : "Error",
    };

    /// <summary>What an answer that says nothing itself, like the framework's, tells a client.</summary>
    public static string DetailOf(int status, string method, string path) => status switch
    {
        401 => "A valid token is needed: Authorization: Bearer <token>.",
        403 => "The token does not give this right.",
        404 => $"There is nothing at {path}.",
        405 => $"{path} does not take {method}.",
        413 => "The body is larger than this endpoint takes.",
        415 => "The body's Content-Type is not one that this endpoint takes; most take application/json.",
        429 => "Too many requests; try again later.",
        503 => "The service can't do this now; try again later.",
        >= 500 => "Something broke here. The traceId finds it in this service's log.",
        _ => "The request can't be served.",
    };
}
