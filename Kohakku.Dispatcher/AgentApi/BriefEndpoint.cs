using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Dispatcher.Attempts;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary><c>GET /agent/v1/brief</c>: all that the runner needs to set the agent to work.</summary>
internal static class BriefEndpoint
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async Task<Results<Ok<AgentBrief>, ProblemHttpResult>> ReadAsync(
        HttpContext context, StorageClient storage, TimeProvider time, CancellationToken cancellationToken)
    {
        var attempt = context.Attempt();
        // Nothing may come of it before it runs: a cluster tells of a start later than the agent asks, and its deadline counts from there.
        if (!await attempt.Launched.WithinAsync(Patience, time, cancellationToken)) return Problems.Unavailable("This attempt is not running yet; ask again.");
        var order = attempt.Order;
        string text;
        try
        {
            text = order.Brief.Text ?? await storage.ReadTextAsync(new Uri(order.Brief.Url!), cancellationToken);
        }
        catch (HttpRequestException fault)
        {
            return Problems.Unavailable($"The brief could not be fetched from the object storage: {fault.Message}");
        }
        return TypedResults.Ok(new AgentBrief(
            order.TaskId, order.AttemptId, order.Number, order.Title, text, order.Inputs, Environment(order), order.Secrets,
            [.. order.Skills.Select(skill => new BriefedSkill(skill.Name, skill.Version, skill.Digest))],
            new BriefedAgent(order.Agent.Mode, order.Agent.Command), order.Resources, attempt.Deadline));
    }

    /// <summary>The agent's own, then the task's over it.</summary>
    private static Dictionary<string, string> Environment(AttemptOrder order)
    {
        var environment = new Dictionary<string, string>(order.Agent.Env);
        foreach (var (name, value) in order.Env) environment[name] = value;
        return environment;
    }
}
