using System.Text.Encodings.Web;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Kohakku.Controller.Identity;

/// <summary><c>Authorization: Bearer …</c> with an API token.</summary>
internal sealed class BearerTokens(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, TokenLookup lookup)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public new const string Scheme = "Bearer";
    private const string Prefix = "Bearer ";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var header = Request.Headers.Authorization.ToString();
        if (header.Length == 0) return AuthenticateResult.NoResult();
        if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) return AuthenticateResult.Fail("The Authorization header is not 'Bearer <token>'.");
        var principal = await lookup.FindAsync(header[Prefix.Length..].Trim());
        return principal is null
            ? AuthenticateResult.Fail("The token is unknown, revoked or expired.")
            : AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme));
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        var result = await HandleAuthenticateOnceSafeAsync();
        await ChallengeAsync(Context, result.Failure?.Message);
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => ForbidAsync(Context);

    /// <param name="fault">What is wrong with the token that was given; null where none was.</param>
    internal static async Task ChallengeAsync(HttpContext context, string? fault)
    {
        context.Response.Headers[HeaderNames.WWWAuthenticate] = fault is null ? "Bearer realm=\"kohakku\"" : "Bearer realm=\"kohakku\", error=\"invalid_token\"";
        await Problems.Unauthorized(fault ?? "A token is needed: Authorization: Bearer <token>.").ExecuteAsync(context);
    }

    internal static async Task ForbidAsync(HttpContext context)
    {
        var caller = Caller.Of(context.User);
        var needed = context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>()?.Policy;
        await Problems.Forbidden(needed is null
            ? $"'{caller.Name}' may not do this."
            : $"'{caller.Name}' is {WireEnum<Role>.NameOf(caller.Role)}; this needs the role {needed}.").ExecuteAsync(context);
    }
}
