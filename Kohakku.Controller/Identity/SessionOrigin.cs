using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace Kohakku.Controller.Identity;

/// <summary>
/// A browser sends the session's cookie along whoever makes it ask, pages of the same site on other ports included. So whatever changes something, or opens
/// a web socket, must come from our own pages when it is the cookie that lets it in.
/// </summary>
internal static class SessionOrigin
{
    public static IApplicationBuilder UseSessionOrigin(this IApplicationBuilder app) => app.Use(static (context, next) =>
        IsBySession(context) && IsUnsafe(context.Request) && !IsOurOwn(context.Request)
            ? Problems.Forbidden("A session of the console may be used from the console's own pages only; programs use a token.").ExecuteAsync(context)
            : next(context));

    private static bool IsBySession(HttpContext context) =>
        context.User.Identity is { IsAuthenticated: true, AuthenticationType: CookieAuthenticationDefaults.AuthenticationScheme };

    // A web socket is opened by GET (or CONNECT).
    private static bool IsUnsafe(HttpRequest request) =>
        request.HttpContext.WebSockets.IsWebSocketRequest
        || !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method));

    private static bool IsOurOwn(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0) return site == "same-origin";
        // Older browsers, and pages not served over TLS. The scheme may differ behind a proxy; host and port don't.
        return Uri.TryCreate(request.Headers.Origin.ToString(), UriKind.Absolute, out var origin)
            && string.Equals(origin.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }
}
