namespace Kohakku.Controller.Tasks;

internal static class TasksFeature
{
    public static WebApplicationBuilder AddTasks(this WebApplicationBuilder builder) => builder;

    public static void MapTasks(this IEndpointRouteBuilder endpoints)
    {
    }
}
