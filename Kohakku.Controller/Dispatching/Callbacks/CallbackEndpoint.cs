using Kohakku.Contracts.Dispatching;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Dispatching.Callbacks;

internal static class CallbackEndpoint
{
    /// <summary>Takes reports of a dispatcher's attempts; 200 for the batch, whatever becomes of its parts.</summary>
    public static async Task<Results<Ok<CallbackAnswer>, ProblemHttpResult>> ReportAsync(
        CallbackBatch batch, CallbackReceiver receiver, CancellationToken cancellationToken) =>
        await receiver.ApplyAsync(batch, cancellationToken) is { } answer ? TypedResults.Ok(answer) : SessionProblems.Superseded();
}
