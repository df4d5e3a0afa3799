using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Temporalio.Exceptions;

namespace Kohakku.Workflows.Activities;

/// <summary>
/// The controller, as activities see it. Calls are signed and short; what fails is tried again by Temporal, but for a run that is not there (any more).
/// </summary>
internal sealed class EngineClient(HttpClient http)
{
    public Task<RunDocument> ReadAsync(Guid runId, CancellationToken cancellationToken) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, $"api/v1/engine/runs/{runId}"), EngineJson.Default.RunDocument, cancellationToken);

    public Task<LoadedRun> LoadAsync(Guid runId, LoadRun load, CancellationToken cancellationToken) =>
        PostAsync(runId, "load", load, EngineJson.Default.LoadRun, EngineJson.Default.LoadedRun, cancellationToken);

    public Task<CommittedTurn> CommitAsync(Guid runId, CommitTurn turn, CancellationToken cancellationToken) =>
        PostAsync(runId, "turns", turn, EngineJson.Default.CommitTurn, EngineJson.Default.CommittedTurn, cancellationToken);

    public Task<CommittedTurn> KeepAsync(Guid runId, UnitOutput output, CancellationToken cancellationToken) =>
        PostAsync(runId, "outputs", output, EngineJson.Default.UnitOutput, EngineJson.Default.CommittedTurn, cancellationToken);

    private Task<TAnswer> PostAsync<TBody, TAnswer>(
        Guid runId, string what, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellationToken) =>
        SendAsync(
            new HttpRequestMessage(HttpMethod.Post, $"api/v1/engine/runs/{runId}/{what}") { Content = JsonContent.Create(body, bodyType) }, answerType, cancellationToken);

    private async Task<TAnswer> SendAsync<TAnswer>(HttpRequestMessage request, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellationToken)
    {
        using (request)
        {
            using var answer = await http.SendAsync(request, cancellationToken);
            if (answer.IsSuccessStatusCode) return (await answer.Content.ReadFromJsonAsync(answerType, cancellationToken))!;
            var text = await answer.Content.ReadAsStringAsync(cancellationToken);
            var message = $"The controller answered {(int)answer.StatusCode} to {request.Method} {request.RequestUri}: {(text.Length > 500 ? text[..500] : text)}";
            if (answer.StatusCode == HttpStatusCode.RequestEntityTooLarge) throw new EngineLimitException(Detail(text) ?? message);
            if (answer.StatusCode == HttpStatusCode.NotFound) throw new ApplicationFailureException(message, "RunGone", nonRetryable: true);
            throw new HttpRequestException(message, null, answer.StatusCode);
        }
    }

    /// <summary>Of a problem answer.</summary>
    private static string? Detail(string text)
    {
        try
        {
            return JsonElement.Parse(text).TryGetProperty("detail", out var detail) ? detail.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The controller has limits, and this is beyond one: a fault of the workflow, which stays one however often it is tried.</summary>
internal sealed class EngineLimitException(string message) : Exception(message);
