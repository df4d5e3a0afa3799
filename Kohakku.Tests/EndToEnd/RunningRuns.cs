using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Tests.Fixtures;
using Kohakku.Workflows.Interpreter;
using Temporalio.Client;
using Temporalio.Common;

namespace Kohakku.Tests.EndToEnd;

/// <summary>Workflows and runs of a running installation, as a program sees them.</summary>
internal static class RunningRuns
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<HttpResponseMessage> PutAsync(this RunningKohakku kohakku, string name, string yaml)
    {
        using var content = new StringContent(yaml, Encoding.UTF8, new MediaTypeHeaderValue("application/yaml"));
        return await kohakku.Api.PutAsync($"/api/v1/workflows/{name}", content, Cancellation);
    }

    /// <summary>Puts the document, by the name that stands in its first line.</summary>
    public static async Task<int> DefineAsync(this RunningKohakku kohakku, string yaml)
    {
        var name = yaml[(yaml.IndexOf(':', StringComparison.Ordinal) + 1)..yaml.IndexOf('\n', StringComparison.Ordinal)].Trim();
        using var answer = await kohakku.PutAsync(name, yaml);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        return (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.PutWorkflowResult, Cancellation))!.Version;
    }

    /// <param name="inputs">JSON.</param>
    public static async Task<RunView> RunAsync(this RunningKohakku kohakku, string workflow, string inputs = "{}")
    {
        using var answer = await kohakku.PostAsync($"workflows/{workflow}/runs", $"{{\"inputs\":{inputs}}}");
        return await ReadAsync(answer);
    }

    public static Task<HttpResponseMessage> PostAsync(this RunningKohakku kohakku, string path, string body = "{}")
    {
        var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        return kohakku.Api.PostAsync($"/api/v1/{path}", content, Cancellation);
    }

    public static async Task PostWellAsync(this RunningKohakku kohakku, string path, string body = "{}")
    {
        using var answer = await kohakku.PostAsync(path, body);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync(Cancellation)}");
    }

    public static async Task<RunView> RunOfAsync(this RunningKohakku kohakku, Guid id) =>
        (await kohakku.Api.GetFromJsonAsync($"/api/v1/runs/{id}", ContractsJson.Default.RunView, Cancellation))!;

    /// <summary>Waits, also through times in which the controller is away.</summary>
    public static Task<RunView> WhenRunAsync(this RunningKohakku kohakku, Guid id, Func<RunView, bool> condition, TimeSpan? timeout = null) => Eventually.NotNullAsync(
        async () =>
        {
            try
            {
                return await kohakku.RunOfAsync(id) is var run && condition(run) ? run : null;
            }
            catch (HttpRequestException fault) when (fault.StatusCode is null or HttpStatusCode.ServiceUnavailable)
            {
                return null;
            }
        },
        timeout ?? TimeSpan.FromMinutes(1));

    public static Task<RunView> EndOfRunAsync(this RunningKohakku kohakku, Guid id, TimeSpan? timeout = null) => kohakku.WhenRunAsync(id, run => run.Status.IsFinal(), timeout);

    public static Task<RunView> WhenStepAsync(this RunningKohakku kohakku, Guid id, string step, StepState state) =>
        kohakku.WhenRunAsync(id, run => run.Step(step).Status == state);

    public static StepView Step(this RunView run, string id) => run.Steps.First(step => step.Id == id);

    public static async Task<IReadOnlyList<RunEventView>> RunTimelineAsync(this RunningKohakku kohakku, Guid id)
    {
        List<RunEventView> entries = [];
        for (string? cursor = ""; cursor is not null;)
        {
            var page = (await kohakku.Api.GetFromJsonAsync($"/api/v1/runs/{id}/events?limit=200&cursor={cursor}", ContractsJson.Default.PageRunEventView, Cancellation))!;
            entries.AddRange(page.Items);
            cursor = page.NextCursor;
        }

        return entries;
    }

    public static async Task<ITemporalClient> TemporalAsync(this RunningKohakku kohakku)
    {
        var endpoints = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(kohakku.Data, "endpoints.json"), Cancellation));
        return await TemporalClient.ConnectAsync(new TemporalClientConnectOptions(new Uri(endpoints.GetProperty("temporal").GetString()!).Authority));
    }

    /// <summary>The history of each execution of the run's workflow.</summary>
    public static async Task<IReadOnlyList<WorkflowHistory>> HistoriesAsync(this RunningKohakku kohakku, Guid id)
    {
        var client = await kohakku.TemporalAsync();
        List<WorkflowHistory> histories = [];
        await foreach (var execution in client.ListWorkflowsAsync($"WorkflowId = '{RunWorkflow.IdOf(id)}'").WithCancellation(Cancellation))
            histories.Add(await client.GetWorkflowHandle(execution.Id, execution.RunId).FetchHistoryAsync());
        return histories;
    }

    public static async Task<RunView> ReadAsync(HttpResponseMessage answer)
    {
        var body = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}: {body}");
        return JsonSerializer.Deserialize(body, ContractsJson.Default.RunView)!;
    }
}
