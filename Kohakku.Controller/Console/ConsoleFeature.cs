using Kohakku.Controller.Console.Runs;
using Kohakku.Controller.Console.Workflows;
using Kohakku.Controller.Identity;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using MudBlazor;
using MudBlazor.Services;

namespace Kohakku.Controller.Console;

internal static class ConsoleFeature
{
    // Everything comes from here: no other host is asked for anything. MudBlazor sets styles inline.
    private const string ContentPolicy =
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static WebApplicationBuilder AddConsole(this WebApplicationBuilder builder)
    {
        // What a person writes comes in one message: a brief of 1 MiB, and its escapes.
        builder.Services.AddRazorComponents().AddInteractiveServerComponents().AddHubOptions(static hub => hub.MaximumReceiveMessageSize = 2 * 1024 * 1024);
        builder.Services.AddCascadingAuthenticationState();
        builder.Services.AddMudServices(mud =>
        {
            mud.SnackbarConfiguration.PositionClass = Defaults.Classes.Position.BottomCenter;
            mud.SnackbarConfiguration.PreventDuplicates = true;
        });
        builder.Services.AddSingleton<ConsoleReads>().AddSingleton<WorkflowReads>().AddSingleton<RunReads>();
        return builder;
    }

    /// <summary>What a browser may do with our pages, and a page for addresses that lead nowhere. Before <see cref="IdentityFeature.UseIdentity"/>.</summary>
    public static void UseConsole(this WebApplication app) => app.Use(static async (context, next) =>
    {
        if (!IsForPerson(context.Request))
        {
            await next(context);
            return;
        }
        context.Response.Headers.ContentSecurityPolicy = ContentPolicy;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        await next(context);
        if (context.Response is { StatusCode: StatusCodes.Status404NotFound, HasStarted: false } && context.GetEndpoint() is null) await ShowNothingHereAsync(context);
    });

    public static void MapConsole(this WebApplication app)
    {
        app.MapStaticAssets().AllowAnonymous();
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode().RequireAuthorization(Policies.Viewer);
    }

    // The console's router knows no such page either, and says so in its frame.
    private static Task ShowNothingHereAsync(HttpContext context) => context.User.Identity is { IsAuthenticated: true }
        ? new RazorComponentResult<App> { StatusCode = StatusCodes.Status404NotFound }.ExecuteAsync(context)
        : context.ChallengeAsync();

    private static bool IsForPerson(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && request.GetTypedHeaders().Accept.Any(accepted => accepted.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase))
        && !request.Path.StartsWithSegments("/api") && !request.Path.StartsWithSegments("/docs") && !request.Path.StartsWithSegments("/openapi");
}
