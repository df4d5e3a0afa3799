using Kohakku.Contracts.AgentProtocol;
using Kohakku.Dispatcher.Attempts;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary><c>POST /agent/v1/result</c>: how the agent says its work came out; the first one counts.</summary>
internal static class ResultEndpoint
{
    public static async Task<Results<NoContent, ProblemHttpResult>> PostAsync(AgentResult result, HttpContext context)
    {
        var attempt = context.Attempt();
        var redactor = attempt.Redactor;
        var clean = result with { Summary = redactor.TextOrNull(result.Summary), Error = redactor.TextOrNull(result.Error), Output = redactor.Json(result.Output) };
        if (!attempt.Apply(new AttemptInput.ResultPosted(clean), out var durable)) return Problems.Conflict(AgentAuthentication.StaleDetail);
        await durable;
        return TypedResults.NoContent();
    }
}
