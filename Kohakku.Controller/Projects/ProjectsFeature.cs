namespace Kohakku.Controller.Projects;

internal static class ProjectsFeature
{
    public static WebApplicationBuilder AddProjects(this WebApplicationBuilder builder) => builder;

    public static void MapProjects(this IEndpointRouteBuilder endpoints)
    {
    }
}
