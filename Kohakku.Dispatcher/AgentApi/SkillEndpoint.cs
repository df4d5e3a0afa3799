using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary><c>GET /agent/v1/skills/{name}</c>: the package, as a zip.</summary>
internal static class SkillEndpoint
{
    public static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> ReadAsync(
        string name, HttpContext context, SkillCache cache, CancellationToken cancellationToken)
    {
        if (context.Attempt().Order.Skills.FirstOrDefault(each => each.Name == name) is not { } skill) return Problems.NotFound($"This attempt has no skill '{name}'.");
        try
        {
            return TypedResults.Stream(await cache.OpenAsync(skill, cancellationToken), "application/zip");
        }
        catch (HttpRequestException fault)
        {
            return Problems.Unavailable($"Skill '{name}' could not be fetched from the object storage: {fault.Message}");
        }
        catch (InvalidDataException fault)
        {
            return TypedResults.Problem(fault.Message, statusCode: StatusCodes.Status502BadGateway, title: "Bad gateway", type: "bad-gateway");
        }
    }
}
