namespace Kohakku.Controller.Agents;

internal static class AgentsFeature
{
    public static WebApplicationBuilder AddAgents(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<AgentDirectory>().AddSingleton<AgentRegistry>().AddSingleton<SampleAgents>();
        return builder;
    }

    public static void MapAgents(this IEndpointRouteBuilder endpoints) => AgentEndpoints.Map(endpoints);
}
