using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace Kohakku.Controller.Identity;

/// <summary>A person's session of the console: an encrypted cookie, so that any controller knows it.</summary>
internal static class Session
{
    public const string Scheme = CookieAuthenticationDefaults.AuthenticationScheme;
    public const string LoginPath = "/login";
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    public static void AddSession(this AuthenticationBuilder authentication, ControllerOptions options) => authentication.AddCookie(Scheme, cookie =>
    {
        cookie.Cookie.Name = "kohakku-session";
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.SecurePolicy = options.Url.StartsWith("https:", StringComparison.Ordinal) ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
        cookie.ExpireTimeSpan = Lifetime;
        cookie.SlidingExpiration = true;
        cookie.LoginPath = LoginPath;
        cookie.ReturnUrlParameter = "returnUrl";
        cookie.Events.OnRedirectToLogin = static redirect => IsPage(redirect.Request)
            ? Redirect(redirect)
            : BearerTokens.ChallengeAsync(redirect.HttpContext, fault: null);
        cookie.Events.OnRedirectToAccessDenied = static redirect => BearerTokens.ForbidAsync(redirect.HttpContext);
    });

    public static void AddSessionKeys(this IServiceCollection services)
    {
        services.AddSingleton<SessionKeyStore>().AddSingleton<SessionKeyEncryption>();
        services.AddDataProtection().SetApplicationName("kohakku-controller");
        services.AddOptions<KeyManagementOptions>().Configure<SessionKeyStore, SessionKeyEncryption>((keys, store, encryption) =>
            (keys.XmlRepository, keys.XmlEncryptor) = (store, encryption));
    }

    public static Task SignInAsync(HttpContext context, Caller caller) =>
        context.SignInAsync(Scheme, new ClaimsPrincipal(caller.ToIdentity(Scheme)), new AuthenticationProperties { IsPersistent = true });

    // What a person's browser shows; all else is a program's, which is told by a problem.
    private static bool IsPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && !request.Path.StartsWithSegments("/api") && !request.Path.StartsWithSegments("/_blazor");

    private static Task Redirect(RedirectContext<CookieAuthenticationOptions> redirect)
    {
        redirect.Response.Redirect(redirect.RedirectUri);
        return Task.CompletedTask;
    }
}
