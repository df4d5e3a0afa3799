using Kohakku.Tests.Fixtures;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Kohakku.Contracts;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.EndToEnd;

/// <summary>
/// A whole installation, as <c>make up</c> starts it: the real AppHost program with its own data folder, all services as processes.
/// Tests reach it as any program does, by HTTP with the token from its <c>api-token</c>.
/// </summary>
internal sealed class RunningKohakku : IAsyncDisposable
{
    private readonly StringWriter output;
    private readonly DirectoryInfo folder;
    private bool stopped;

    private RunningKohakku(DirectoryInfo folder, DistributedApplication app, StringWriter output)
    {
        (this.folder, App, this.output) = (folder, app, output);
        Api = app.CreateHttpClient("controller");
        Api.Timeout = TimeSpan.FromMinutes(2);
        Api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", File.ReadAllText(Path.Combine(Data, "api-token")).Trim());
    }

    public DistributedApplication App { get; }
    public HttpClient Api { get; }

    /// <summary>What the AppHost's console shows.</summary>
    public string Output => output.ToString();

    /// <summary>KOHAKKU_DATA.</summary>
    public string Data => folder.FullName;

    /// <param name="backend">RUNTIME_BACKEND: <c>process</c> or <c>local</c>.</param>
    public static async Task<RunningKohakku> StartAsync(string backend, IReadOnlyDictionary<string, string?>? settings = null, DirectoryInfo? data = null)
    {
        Requirement.Program("initdb");
        var cancellationToken = TestContext.Current.CancellationToken;
        var folder = data ?? Directory.CreateTempSubdirectory("kohakku-e2e-");
        var environment = new Dictionary<string, string?>(settings ?? new Dictionary<string, string?>())
        {
            ["KOHAKKU_DATA"] = folder.FullName,
            ["RUNTIME_BACKEND"] = backend,
        };
        // PostgreSQL and agents run as other users: they have to pass through.
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        var output = new StringWriter();
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.Kohakku_AppHost>([], environment, TextWriter.Synchronized(output), cancellationToken);
        var app = await builder.BuildAsync(cancellationToken);
        try
        {
            await app.StartAsync(cancellationToken);
            return new RunningKohakku(folder, app, output);
        }
        catch (Exception fault)
        {
            await app.DisposeAsync();
            throw new InvalidOperationException($"The installation did not start: {fault.Message}\n{output}", fault);
        }
    }

    public async Task<TaskView> SubmitAsync(SubmitTask task)
    {
        using var answer = await Api.PostAsJsonAsync("/api/v1/tasks", task, ContractsJson.Default.SubmitTask, TestContext.Current.CancellationToken);
        return await ReadAsync(answer);
    }

    public async Task<TaskView> TaskAsync(Guid id) =>
        (await Api.GetFromJsonAsync($"/api/v1/tasks/{id}", ContractsJson.Default.TaskView, TestContext.Current.CancellationToken))!;

    public async Task<TaskView> CancelAsync(Guid id)
    {
        using var answer = await Api.PostAsync($"/api/v1/tasks/{id}/cancel", null, TestContext.Current.CancellationToken);
        return await ReadAsync(answer);
    }

    public Task<TaskView> EndOfAsync(Guid id, TimeSpan? timeout = null) =>
        WhenAsync(id, task => task.Status.IsFinal(), timeout ?? TimeSpan.FromMinutes(1), $"task {id} is final");

    public Task<TaskView> WhenAsync(Guid id, TaskState state) => WhenAsync(id, task => task.Status == state, TimeSpan.FromMinutes(1), $"task {id} is {state}");

    /// <summary>Until its agent runs; a task is Running from its claim on.</summary>
    public Task<TaskView> WhenAgentRunsAsync(Guid id) =>
        WhenAsync(id, task => task.Attempts is [.., { Status: AttemptState.Running }], TimeSpan.FromMinutes(1), $"the agent of {id} runs");

    public async Task<IReadOnlyList<TaskEventView>> TimelineAsync(Guid id)
    {
        var page = await Api.GetFromJsonAsync($"/api/v1/tasks/{id}/events?limit=200", ContractsJson.Default.PageTaskEventView, TestContext.Current.CancellationToken);
        return page!.Items;
    }

    public Task<string> LogAsync(Guid id, string query = "") => Api.GetStringAsync($"/api/v1/tasks/{id}/logs{query}", TestContext.Current.CancellationToken);

    /// <summary>Kills a resource's process as a power cut would; the AppHost starts it again.</summary>
    public async Task KillAsync(string resource)
    {
        var process = App.ProcessOf(resource) ?? throw new InvalidOperationException($"{resource} has no process.");
        System.Diagnostics.Process.GetProcessById(process.Pid).Kill();
        await Eventually.Async(() => App.ProcessOf(resource) is { } next && next != process, TimeSpan.FromMinutes(1), $"{resource} was started again");
    }

    public async Task StopAsync()
    {
        if (stopped) return;
        stopped = true;
        Api.Dispose();
        await App.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (TestContext.Current.TestState?.Result == TestResult.Failed) TestContext.Current.SendDiagnosticMessage(output.ToString());
        await output.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private Task<TaskView> WhenAsync(Guid id, Func<TaskView, bool> condition, TimeSpan timeout, string what) => Eventually.NotNullAsync(
        async () => await TaskUnlessAwayAsync(id) is { } task && condition(task) ? task : null, timeout, what);

    /// <summary>Null while the controller is away, or tells that its database is: as any client would, the tests of faults ask again.</summary>
    private async Task<TaskView?> TaskUnlessAwayAsync(Guid id)
    {
        try
        {
            return await TaskAsync(id);
        }
        catch (HttpRequestException fault) when (fault.StatusCode is null or HttpStatusCode.ServiceUnavailable)
        {
            return null;
        }
    }

    private static async Task<TaskView> ReadAsync(HttpResponseMessage answer)
    {
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode}: {body}");
        return JsonSerializer.Deserialize(body, ContractsJson.Default.TaskView)!;
    }
}
