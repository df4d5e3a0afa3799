using System.Diagnostics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace Kohakku.ServiceDefaults;

/// <summary>Makes every error answer a problem, those of the framework (404, 405, 413, 415, unreadable bodies) too.</summary>
internal static class ProblemAnswers
{
    public static void AddProblemAnswers(this WebApplicationBuilder builder)
    {
        builder.Services.AddProblemDetails(options => options.CustomizeProblemDetails = Complete);
        builder.Services.AddSingleton<IProblemDetailsWriter, ProblemWriter>();
        builder.Services.AddExceptionHandler<RequestFaultHandler>();
        builder.Services.AddExceptionHandler<UnavailableHandler>();
        // What can't be bound comes to RequestFaultHandler, which says why; else it would be a bare 400.
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
    }

    public static void UseProblemAnswers(this WebApplication app)
    {
        app.UseExceptionHandler();
        app.UseStatusCodePages(async status =>
        {
            var context = status.HttpContext;
            // A person with a browser gets the console's own page, or the browser's.
            if (AcceptsHtml(context.Request)) return;
            await Problems.Of(
                context.Response.StatusCode,
                ProblemTypes.DetailOf(context.Response.StatusCode, context.Request.Method, context.Request.Path)).ExecuteAsync(context);
        });
    }

    private static void Complete(ProblemDetailsContext written)
    {
        var problem = written.ProblemDetails;
        var request = written.HttpContext.Request;
        var status = problem.Status ??= written.HttpContext.Response.StatusCode;
        // The framework fills in links to RFC 9110.
        if (problem.Type is null || problem.Type.StartsWith("https://tools.ietf.org/", StringComparison.Ordinal))
        {
            problem.Type = ProblemTypes.TypeOf(status);
            problem.Title = ProblemTypes.TitleOf(status);
        }
        problem.Detail ??= ProblemTypes.DetailOf(status, request.Method, request.Path);
        problem.Extensions["traceId"] = Activity.Current?.TraceId.ToString() ?? written.HttpContext.TraceIdentifier;
        if (status == StatusCodes.Status503ServiceUnavailable) written.HttpContext.Response.Headers.RetryAfter = "1";
    }

    private static bool AcceptsHtml(HttpRequest request) =>
        request.GetTypedHeaders().Accept.Any(accepted => accepted.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase))
        && !request.Path.StartsWithSegments("/api") && !request.Path.StartsWithSegments("/agent") && !request.Path.StartsWithSegments("/v1");
}
