using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Kohakku.Controller.Dispatching;

/// <summary>What a dispatcher is told whose session is not the newest of its instance: register again, or go.</summary>
internal static class SessionProblems
{
    public const string SupersededType = "session-superseded";

    public static ProblemHttpResult Superseded() => TypedResults.Problem(new ProblemDetails
    {
        Status = StatusCodes.Status409Conflict,
        Type = SupersededType,
        Title = "Session Superseded",
        Detail = "This session is not known, or a newer registration of this dispatcher has taken its place. Register to go on.",
    });
}
