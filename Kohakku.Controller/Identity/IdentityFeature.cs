namespace Kohakku.Controller.Identity;

internal static class IdentityFeature
{
    public static WebApplicationBuilder AddIdentity(this WebApplicationBuilder builder) => builder;

    public static void MapIdentity(this IEndpointRouteBuilder endpoints)
    {
    }
}
