using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Identity;

/// <summary>Refuses calls to a host that is not ours, so that a page elsewhere can't reach us by a name of its own (DNS rebinding).</summary>
internal static class AllowedHosts
{
    public static IApplicationBuilder UseAllowedHosts(this IApplicationBuilder app, ControllerOptions options)
    {
        if (options.AllowedHosts.Contains("*")) return app;
        return app.Use((context, next) => HostString.MatchesAny(context.Request.Host.Host, options.AllowedHosts)
            ? next(context)
            : Problems.BadRequest("Host", "is not one of ALLOWED_HOSTS").ExecuteAsync(context));
    }
}
