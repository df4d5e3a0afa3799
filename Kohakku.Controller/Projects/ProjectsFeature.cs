using Kohakku.Controller.Identity;

namespace Kohakku.Controller.Projects;

internal static class ProjectsFeature
{
    public static WebApplicationBuilder AddProjects(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TokenList>();
        return builder;
    }

    public static void MapProjects(this IEndpointRouteBuilder endpoints)
    {
        var projects = endpoints.MapGroup("/projects").WithTags("Projects").RequireAuthorization(Policies.Admin);
        projects.MapGet("", ProjectEndpoints.ListAsync);
        projects.MapPost("", ProjectEndpoints.CreateAsync);

        var tokens = endpoints.MapGroup("/tokens").WithTags("Tokens").RequireAuthorization(Policies.Admin);
        tokens.MapGet("", TokenEndpoints.ListAsync);
        tokens.MapPost("", TokenEndpoints.CreateAsync);
        tokens.MapDelete("/{id:guid}", TokenEndpoints.RevokeAsync);
    }

    /// <summary>Admins of the project <c>default</c> run the installation: they make projects, and act in all of them.</summary>
    internal static bool RunsInstallation(this Caller caller) => caller is { Project: Project.DefaultName, Role: Contracts.Tasks.Role.Admin };
}
