using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace Kohakku.Workflows.Activities;

/// <summary>
/// For Temporal workflows of one's own, in code: give an agent a task, wait for its end, stop it. Host it in a worker of yours, with an API token of the project
/// that the tasks shall be in. docs/workflows-in-code.md has a whole sample.
/// </summary>
/// <param name="api">Its base address is the controller's, its authorization a token; see <see cref="Client"/>. Without a timeout of its own.</param>
public sealed class TaskActivities(HttpClient api)
{
    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(20);

    /// <param name="controller">Like <c>http://localhost:8000</c>.</param>
    /// <param name="token">Of an operator.</param>
    public static HttpClient Client(Uri controller, string token) => new()
    {
        BaseAddress = controller, Timeout = Timeout.InfiniteTimeSpan, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
    };

    /// <summary>
    /// Submits a task and answers its id. Tried again it answers the same task: its key is the workflow's id and run and the activity's.
    /// </summary>
    /// <exception cref="ApplicationFailureException">Type <c>InvalidTask</c>, not to be retried: the controller refuses it, and the message says why.</exception>
    [Activity("kohakku-submit-task")]
    public async Task<Guid> SubmitAsync(SubmitTask task)
    {
        var info = ActivityExecutionContext.Current.Info;
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/tasks") { Content = JsonContent.Create(task, ContractsJson.Default.SubmitTask) };
        request.Headers.Add("Idempotency-Key", $"temporal:{info.WorkflowId}:{info.WorkflowRunId}:{info.ActivityId}");
        return (await SendAsync(request)).Id;
    }

    /// <summary>
    /// Waits for the end of a task, however long that takes, and answers the task. It hears of the end, it does not poll; while it waits it heartbeats every five
    /// seconds, so give it a heartbeat timeout of half a minute and a start-to-close timeout above the task's own. Canceling it leaves the task alone.
    /// </summary>
    [Activity("kohakku-await-task")]
    public async Task<TaskView> AwaitAsync(Guid taskId)
    {
        var context = ActivityExecutionContext.Current;
        using var heartbeats = new Timer(_ => context.Heartbeat(), null, HeartbeatEvery, HeartbeatEvery);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/tasks/{taskId}/events");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using (var answer = await api.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.CancellationToken))
        {
            if (answer.StatusCode == HttpStatusCode.NotFound) throw new ApplicationFailureException($"There is no task {taskId}.", "NoSuchTask", nonRetryable: true);
            answer.EnsureSuccessStatusCode();
            // The stream ends with the task; what it says is of no interest here.
            await (await answer.Content.ReadAsStreamAsync(context.CancellationToken)).CopyToAsync(Stream.Null, context.CancellationToken);
        }

        var task = await SendAsync(new HttpRequestMessage(HttpMethod.Get, $"/api/v1/tasks/{taskId}"));
        // The controller was stopped, and its streams with it: another try follows the task on.
        return task.Status.IsFinal() ? task : throw new HttpRequestException($"The stream of task {taskId} ended before the task.");
    }

    /// <summary>Tells a task to stop. That it has ended already is no fault.</summary>
    [Activity("kohakku-cancel-task")]
    public async Task CancelAsync(Guid taskId)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ActivityExecutionContext.Current.CancellationToken);
        limit.CancelAfter(CallTimeout);
        using var answer = await api.PostAsync($"/api/v1/tasks/{taskId}/cancel", null, limit.Token);
        if (answer.StatusCode != HttpStatusCode.Conflict) answer.EnsureSuccessStatusCode();
    }

    private async Task<TaskView> SendAsync(HttpRequestMessage request)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ActivityExecutionContext.Current.CancellationToken);
        limit.CancelAfter(CallTimeout);
        using (request)
        {
            using var answer = await api.SendAsync(request, limit.Token);
            if (answer.IsSuccessStatusCode) return (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.TaskView, limit.Token))!;
            var problem = await answer.Content.ReadAsStringAsync(limit.Token);
            if (answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity or HttpStatusCode.RequestEntityTooLarge)
                throw new ApplicationFailureException($"The controller refuses the task: {problem}", "InvalidTask", nonRetryable: true);
            throw new HttpRequestException($"The controller answered {(int)answer.StatusCode}: {problem}", null, answer.StatusCode);
        }
    }
}
