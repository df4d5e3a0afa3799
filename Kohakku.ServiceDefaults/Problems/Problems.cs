using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Kohakku.ServiceDefaults;

/// <summary>The error answers of every endpoint, <c>application/problem+json</c> by RFC 9457; <c>traceId</c> is added when written.</summary>
public static class Problems
{
    /// <summary>Type of a signature that is right but too old or too new; it carries <c>serverTime</c>.</summary>
    public const string ClockSkewType = "clock-skew";
    public const string InvalidSignatureType = "invalid-signature";

    public static ProblemHttpResult NotFound(string detail) => Of(StatusCodes.Status404NotFound, detail);

    public static ProblemHttpResult Conflict(string detail) => Of(StatusCodes.Status409Conflict, detail);

    /// <summary>What can't be parsed.</summary>
    public static ProblemHttpResult BadRequest(string field, string rule) =>
        Of(StatusCodes.Status400BadRequest, $"{field} {rule}.", new Dictionary<string, string[]> { [field] = [rule] });

    /// <summary>What can be read but is wrong; all of it.</summary>
    public static ProblemHttpResult Unprocessable(Faults faults)
    {
        ArgumentNullException.ThrowIfNull(faults);
        return Of(StatusCodes.Status422UnprocessableEntity, "The request has fields that are wrong; errors says which and why.", faults.ToDictionary());
    }

    public static ProblemHttpResult Unauthorized(string detail) => Of(StatusCodes.Status401Unauthorized, detail);

    public static ProblemHttpResult Forbidden(string detail) => Of(StatusCodes.Status403Forbidden, detail);

    public static ProblemHttpResult TooLarge(string detail) => Of(StatusCodes.Status413PayloadTooLarge, detail);

    /// <summary>What this service needs is away; the same request may work later.</summary>
    public static ProblemHttpResult Unavailable(string detail) => Of(StatusCodes.Status503ServiceUnavailable, detail);

    internal static ProblemHttpResult InvalidSignature(string detail) => Of(StatusCodes.Status401Unauthorized, detail, type: InvalidSignatureType);

    internal static ProblemHttpResult ClockSkew(DateTimeOffset serverTime)
    {
        var problem = Details(StatusCodes.Status401Unauthorized, "The timestamp is more than five minutes from this server's clock.", type: ClockSkewType);
        problem.Extensions["serverTime"] = serverTime;
        return TypedResults.Problem(problem);
    }

    internal static ProblemHttpResult Of(int status, string detail, IDictionary<string, string[]>? errors = null, string? type = null) =>
        TypedResults.Problem(Details(status, detail, errors, type));

    internal static ProblemDetails Details(int status, string detail, IDictionary<string, string[]>? errors = null, string? type = null)
    {
        var problem = new ProblemDetails { Status = status, Type = type ?? ProblemTypes.TypeOf(status), Title = ProblemTypes.TitleOf(status), Detail = detail };
        if (errors is not null) problem.Extensions["errors"] = errors;
        return problem;
    }
}
