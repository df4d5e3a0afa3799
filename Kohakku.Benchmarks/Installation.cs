using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Kohakku.Contracts;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;

namespace Kohakku.Benchmarks;

/// <summary>A running installation, reached as any program reaches it: by <c>endpoints.json</c>, <c>api-token</c> and HTTP.</summary>
internal sealed class Installation : IDisposable
{
    private readonly HttpClient _controller;
    private readonly Dictionary<string, Uri> _services;

    private Installation(Dictionary<string, Uri> services, string token)
    {
        _services = services;
        _controller = new HttpClient { BaseAddress = services["controller"], Timeout = TimeSpan.FromSeconds(60) };
        _controller.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <exception cref="FileNotFoundException">Nothing runs on that data folder.</exception>
    public static Installation Open(DirectoryInfo data)
    {
        var endpoints = Path.Combine(data.FullName, "endpoints.json");
        if (!File.Exists(endpoints)) throw new FileNotFoundException($"{endpoints} is not there: nothing runs on that data folder. Start it with `make up`.");
        var services = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(File.ReadAllText(endpoints))!
            .Where(entry => Uri.TryCreate(entry.Value.GetString(), UriKind.Absolute, out _))
            .ToDictionary(entry => entry.Key, entry => new Uri(entry.Value.GetString()!));
        return new Installation(services, File.ReadAllText(Path.Combine(data.FullName, "api-token")).Trim());
    }

    public async Task<TaskView> SubmitAsync(SubmitTask task, CancellationToken cancellationToken)
    {
        using var answer = await _controller.PostAsJsonAsync("/api/v1/tasks", task, ContractsJson.Default.SubmitTask, cancellationToken);
        return (await ReadAsync(answer, cancellationToken)).Deserialize(ContractsJson.Default.TaskView)!;
    }

    public async Task<IReadOnlyList<TaskView>> SubmitAsync(SubmitTaskBatch batch, CancellationToken cancellationToken)
    {
        using var answer = await _controller.PostAsJsonAsync("/api/v1/tasks/batch", batch, ContractsJson.Default.SubmitTaskBatch, cancellationToken);
        return (await ReadAsync(answer, cancellationToken)).Deserialize(ContractsJson.Default.ItemsOfTaskView)!.Items;
    }

    public async Task<TaskView> TaskAsync(Guid id, CancellationToken cancellationToken) =>
        (await _controller.GetFromJsonAsync($"/api/v1/tasks/{id}", ContractsJson.Default.TaskView, cancellationToken))!;

    public async Task<Page<TaskView>> TasksAsync(string query, CancellationToken cancellationToken) =>
        (await _controller.GetFromJsonAsync($"/api/v1/tasks?{query}", ContractsJson.Default.PageTaskView, cancellationToken))!;

    public async Task PutWorkflowAsync(string name, string document, CancellationToken cancellationToken)
    {
        using var content = new StringContent(document, null, "application/yaml");
        using var answer = await _controller.PutAsync($"/api/v1/workflows/{name}", content, cancellationToken);
        await ReadAsync(answer, cancellationToken);
    }

    public async Task PutScheduleAsync(string name, PutSchedule schedule, CancellationToken cancellationToken)
    {
        using var answer = await _controller.PutAsJsonAsync($"/api/v1/schedules/{name}", schedule, ContractsJson.Default.PutSchedule, cancellationToken);
        await ReadAsync(answer, cancellationToken);
    }

    public async Task DeleteScheduleAsync(string name, CancellationToken cancellationToken)
    {
        using var answer = await _controller.DeleteAsync($"/api/v1/schedules/{name}", cancellationToken);
        answer.EnsureSuccessStatusCode();
    }

    /// <param name="inputs">JSON.</param>
    public async Task<RunView> StartRunAsync(string workflow, string inputs, CancellationToken cancellationToken)
    {
        using var content = new StringContent($"{{\"inputs\":{inputs}}}", null, "application/json");
        using var answer = await _controller.PostAsync($"/api/v1/workflows/{workflow}/runs", content, cancellationToken);
        return (await ReadAsync(answer, cancellationToken)).Deserialize(ContractsJson.Default.RunView)!;
    }

    public async Task<RunView> RunAsync(Guid id, CancellationToken cancellationToken) =>
        (await _controller.GetFromJsonAsync($"/api/v1/runs/{id}", ContractsJson.Default.RunView, cancellationToken))!;

    /// <summary>Waits for the timeline to end, which it does when the run has.</summary>
    public Task FollowRunToEndAsync(Guid id, CancellationToken cancellationToken) => FollowAsync($"/api/v1/runs/{id}/events", "event: run.ended", cancellationToken);

    /// <summary>Waits for the timeline to end, which it does when the task has.</summary>
    public Task FollowToEndAsync(Guid id, CancellationToken cancellationToken) => FollowAsync($"/api/v1/tasks/{id}/events", "event: task.ended", cancellationToken);

    /// <summary>The address of a service.</summary>
    public Uri Service(string name) => _services[name];

    private async Task FollowAsync(string path, string last, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var answer = await _controller.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        answer.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line == last) return;
        }
    }

    /// <summary>Resident memory of a service in MiB, as its own <c>/metrics</c> says.</summary>
    public async Task<double> MemoryAsync(string service, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = _services[service] };
        var metrics = await client.GetStringAsync("/metrics", cancellationToken);
        var line = metrics.Split('\n').FirstOrDefault(text => text.StartsWith("dotnet_process_memory_working_set", StringComparison.Ordinal))
            ?? throw new InvalidDataException($"{service} does not tell its working set in /metrics.");
        // name{labels} value [timestamp]
        var value = line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[line.Contains('}') ? 0 : 1];
        return double.Parse(value, CultureInfo.InvariantCulture) / (1024 * 1024);
    }

    public void Dispose() => _controller.Dispose();

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        return answer.IsSuccessStatusCode ? body : throw new InvalidOperationException($"{(int)answer.StatusCode}: {body}");
    }
}
