using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Net.Http.Headers;

namespace Kohakku.Controller.Identity;

internal static class IdentityFeature
{
    /// <summary>By token where one is given, else by session.</summary>
    private const string TokenOrSession = "token-or-session";

    public static WebApplicationBuilder AddIdentity(this WebApplicationBuilder builder)
    {
        var options = builder.AddControllerOptions();
        builder.Services.AddSingleton<TokenLookup>().AddSingleton<ApiTokens>().AddSingleton<LoginLinks>().AddSingleton<FirstStart>();
        builder.Services.AddSessionKeys();
        builder.Services.AddAntiforgery(antiforgery => antiforgery.Cookie.Name = "kohakku-antiforgery");
        builder.Services.AddAuthentication(TokenOrSession)
            .AddPolicyScheme(TokenOrSession, displayName: null, scheme => scheme.ForwardDefaultSelector = static context =>
                context.Request.Headers.ContainsKey(HeaderNames.Authorization) ? BearerTokens.Scheme : Session.Scheme)
            .AddScheme<AuthenticationSchemeOptions, BearerTokens>(BearerTokens.Scheme, configureOptions: null)
            .AddSession(options);
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy(Policies.Viewer, policy => policy.RequireAtLeast(Role.Viewer))
            .AddPolicy(Policies.Operator, policy => policy.RequireAtLeast(Role.Operator))
            .AddPolicy(Policies.Admin, policy => policy.RequireAtLeast(Role.Admin));
        return builder;
    }

    /// <summary>The controller's own settings, which the scheduler shares.</summary>
    public static ControllerOptions AddControllerOptions(this WebApplicationBuilder builder)
    {
        var options = ControllerOptions.Read(builder.Settings(), builder.Environment.IsDevelopment());
        builder.Services.AddSingleton(options);
        return options;
    }

    /// <summary>Who calls, by which host and from which page, before any endpoint runs.</summary>
    public static void UseIdentity(this WebApplication app)
    {
        app.UseAllowedHosts(app.Services.GetRequiredService<ControllerOptions>());
        app.UseAuthentication();
        // Before the check of where a request comes from, which has to know a web socket when it sees one.
        app.UseWebSockets();
        app.UseSessionOrigin();
        app.UseAuthorization();
        app.UseAntiforgery();
    }

    public static void MapIdentity(this IEndpointRouteBuilder endpoints) => endpoints.MapLogin();

    private static void RequireAtLeast(this AuthorizationPolicyBuilder policy, Role role) =>
        policy.RequireRole(Enum.GetValues<Role>().Where(r => r >= role).Select(WireEnum<Role>.NameOf));
}
