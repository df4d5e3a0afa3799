namespace Kohakku.Controller.Console;

internal static class ConsoleFeature
{
    public static WebApplicationBuilder AddConsole(this WebApplicationBuilder builder) => builder;

    public static void MapConsole(this IEndpointRouteBuilder endpoints)
    {
    }
}
