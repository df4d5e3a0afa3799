using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Agents;

internal static class AgentViews
{
    public static AgentView Of(Agent agent) => new(
        agent.Name, agent.Image, agent.Command, agent.Mode, agent.Adapter, agent.Env, agent.PullPolicy, agent.Network, agent.Resources,
        agent.HeartbeatTimeoutSeconds, agent.Warm, agent.CreatedAt, agent.UpdatedAt);
}
