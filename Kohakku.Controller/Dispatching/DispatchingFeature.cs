namespace Kohakku.Controller.Dispatching;

internal static class DispatchingFeature
{
    public static WebApplicationBuilder AddDispatching(this WebApplicationBuilder builder) => builder;

    public static void MapDispatching(this IEndpointRouteBuilder endpoints)
    {
    }
}
