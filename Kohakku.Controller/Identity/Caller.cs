using System.Security.Claims;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Identity;

/// <summary>Who calls, and for which project: what a token or a session of the console stands for. An endpoint takes it as a parameter.</summary>
/// <param name="Name">The token's or the person's name, for the timeline and the audit.</param>
internal sealed record Caller(Guid ProjectId, string Project, Role Role, string Name)
{
    public const string ProjectIdClaim = "kohakku:project-id";
    public const string ProjectClaim = "kohakku:project";

    public static ValueTask<Caller> BindAsync(HttpContext context) => ValueTask.FromResult(Of(context.User));

    /// <exception cref="InvalidOperationException">Nobody is signed in: the endpoint asks for no policy.</exception>
    public static Caller Of(ClaimsPrincipal user) => new(
        Guid.Parse(Require(user, ProjectIdClaim)), Require(user, ProjectClaim), WireEnum<Role>.Parse(Require(user, ClaimTypes.Role)), Require(user, ClaimTypes.Name));

    public ClaimsIdentity ToIdentity(string scheme) => new(
        [
            new Claim(ProjectIdClaim, ProjectId.ToString()), new Claim(ProjectClaim, Project),
            new Claim(ClaimTypes.Role, WireEnum<Role>.NameOf(Role)), new Claim(ClaimTypes.Name, Name),
        ],
        scheme);

    private static string Require(ClaimsPrincipal user, string claim) =>
        user.FindFirstValue(claim) ?? throw new InvalidOperationException($"The endpoint wants a caller, but requires no policy ({claim} is missing).");
}

/// <summary>What an endpoint asks of its caller; each includes the ones before it.</summary>
internal static class Policies
{
    public const string Viewer = "viewer";
    public const string Operator = "operator";
    public const string Admin = "admin";
}
