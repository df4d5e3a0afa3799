using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Tasks;

internal static class TaskProblems
{
    /// <summary>Also for a task of another project: whose it is, is nobody else's business.</summary>
    public static ProblemHttpResult NotFound(Guid id) => Problems.NotFound($"There is no task {id} in this project.");
}
