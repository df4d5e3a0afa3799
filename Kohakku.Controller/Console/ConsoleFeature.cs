using Kohakku.Controller.Identity;
using MudBlazor;
using MudBlazor.Services;

namespace Kohakku.Controller.Console;

internal static class ConsoleFeature
{
    private const string NotFoundPath = "/not-found";

    // Everything comes from here: no other host is asked for anything. MudBlazor sets styles inline.
    private const string ContentPolicy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static WebApplicationBuilder AddConsole(this WebApplicationBuilder builder)
    {
        builder.Services.AddRazorComponents().AddInteractiveServerComponents();
        builder.Services.AddCascadingAuthenticationState();
        builder.Services.AddMudServices(mud =>
        {
            mud.SnackbarConfiguration.PositionClass = Defaults.Classes.Position.BottomCenter;
            mud.SnackbarConfiguration.PreventDuplicates = true;
        });
        builder.Services.AddSingleton<TaskReads>();
        return builder;
    }

    /// <summary>What a browser may do with our pages, and a page for addresses that lead nowhere. Before <see cref="IdentityFeature.UseIdentity"/>.</summary>
    public static void UseConsole(this WebApplication app) => app.UseWhen(IsForPerson, static pages =>
    {
        pages.Use(static (context, next) =>
        {
            context.Response.Headers.ContentSecurityPolicy = ContentPolicy;
            context.Response.Headers.XContentTypeOptions = "nosniff";
            return next(context);
        });
        pages.UseStatusCodePagesWithReExecute(NotFoundPath);
    });

    public static void MapConsole(this WebApplication app)
    {
        app.MapStaticAssets().AllowAnonymous();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode().RequireAuthorization(Policies.Viewer);
    }

    private static bool IsForPerson(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method)
        && context.Request.GetTypedHeaders().Accept.Any(accepted => accepted.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase))
        && !context.Request.Path.StartsWithSegments("/api") && !context.Request.Path.StartsWithSegments("/docs");
}
