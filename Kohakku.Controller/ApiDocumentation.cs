using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace Kohakku.Controller;

/// <summary>The API's description at <c>/openapi/v1.json</c>, and a page to browse it at <c>/docs</c>. Neither tells anything of the installation, so both are open.</summary>
internal static class ApiDocumentation
{
    private const string SecurityScheme = "token";

    public static WebApplicationBuilder AddApiDocumentation(this WebApplicationBuilder builder)
    {
        builder.Services.AddOpenApi("v1", options => options.AddDocumentTransformer(static (document, _, _) =>
        {
            document.Info = new OpenApiInfo { Title = "Kohakku", Version = "v1", Description = "A control plane for fleets of AI agents." };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[SecurityScheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API token: POST /api/v1/tokens, or the file api-token of a local installation.",
            };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(SecurityScheme, document)] = [] }];
            return Task.CompletedTask;
        }));
        return builder;
    }

    public static void MapApiDocumentation(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapOpenApi().AllowAnonymous();
        endpoints.MapWireSchemas();
        // Its script is served from here; no fonts, telemetry or assistant of another host.
        endpoints.MapScalarApiReference("/docs", options => options.WithTitle("Kohakku API").DisableDefaultFonts().DisableTelemetry().DisableAgent()).AllowAnonymous();
    }
}
