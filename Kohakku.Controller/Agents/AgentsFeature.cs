namespace Kohakku.Controller.Agents;

internal static class AgentsFeature
{
    public static WebApplicationBuilder AddAgents(this WebApplicationBuilder builder) => builder;

    public static void MapAgents(this IEndpointRouteBuilder endpoints)
    {
    }
}
