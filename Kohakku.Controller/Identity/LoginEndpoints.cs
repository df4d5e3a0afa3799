using Kohakku.Controller.Console.Login;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Kohakku.Controller.Identity;

/// <summary>
/// In by a one-time link, and out again. The link's GET only shows a page that posts itself: what fetches links to preview them does not use them up.
/// </summary>
internal static class LoginEndpoints
{
    public static void MapLogin(this IEndpointRouteBuilder endpoints)
    {
        var pages = endpoints.MapGroup("").ExcludeFromDescription().AllowAnonymous();
        pages.MapGet(Session.LoginPath, Show);
        pages.MapPost(Session.LoginPath, LoginAsync).DisableAntiforgery();
        endpoints.MapPost("/logout", LogoutAsync).ExcludeFromDescription().AllowAnonymous();
    }

    private static RazorComponentResult<LoginPage> Show(HttpContext context, string? token, string? returnUrl)
    {
        NoTraces(context);
        return new RazorComponentResult<LoginPage>(new { Token = token, ReturnUrl = returnUrl });
    }

    // No antiforgery: the link's own token is what a forger lacks.
    private static async Task<IResult> LoginAsync(
        HttpContext context, [FromForm] string? token, [FromForm] string? returnUrl, LoginLinks links, CancellationToken cancellationToken)
    {
        NoTraces(context);
        var caller = string.IsNullOrEmpty(token) ? null : await links.UseAsync(token, cancellationToken);
        if (caller is null)
            return new RazorComponentResult<LoginPage>(new { IsRefused = true }) { StatusCode = StatusCodes.Status403Forbidden };
        await Session.SignInAsync(context, caller);
        return TypedResults.LocalRedirect(IsLocal(returnUrl) ? returnUrl! : "/");
    }

    private static async Task<IResult> LogoutAsync(HttpContext context, IAntiforgery antiforgery)
    {
        if (!await antiforgery.IsRequestValidAsync(context))
            return ServiceDefaults.Problems.BadRequest("__RequestVerificationToken", "is missing or from another session; log out from the console's own button");
        await context.SignOutAsync(Session.Scheme);
        return TypedResults.LocalRedirect(Session.LoginPath);
    }

    // The token in the address must neither be kept nor told to anyone.
    private static void NoTraces(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
    }

    private static bool IsLocal(string? url) =>
        url is ['/', ..] && !url.StartsWith("//", StringComparison.Ordinal) && !url.StartsWith("/\\", StringComparison.Ordinal);
}
