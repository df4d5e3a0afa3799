using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Upgrades;

/// <summary>
/// A program that submits tasks and reads them all the time, as the API asks of programs: a call whose connection was cut is made again, with the same
/// Idempotency-Key. Anything else than an answer that it can use is a fault.
/// </summary>
internal sealed class Load : IAsyncDisposable
{
    /// <summary>Of so many tasks one is a process; the others end inside the dispatcher.</summary>
    private const int ProcessEvery = 5;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan CutPause = TimeSpan.FromMilliseconds(20);
    private const int MostCuts = 25;

    private readonly HttpClient _api;
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<Guid, int> _open = new();
    private readonly ConcurrentQueue<Guid> _submitted = new();
    private readonly Task _submitting;
    private readonly Task _reading;
    private int _cuts;
    private volatile bool _disposed;

    public Load(HttpClient api)
    {
        _api = api;
        _submitting = Task.Run(SubmitAsync);
        _reading = Task.Run(ReadAsync);
    }

    /// <summary>The tasks whose submit was acknowledged.</summary>
    public IReadOnlyCollection<Guid> Submitted => _submitted;

    public ConcurrentQueue<string> Faults { get; } = new();

    /// <summary>How many calls were made again because their connection was cut.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>Until what is submitted from now on, of each kind, has ended well.</summary>
    public async Task GoesOnAsync()
    {
        var until = _submitted.Count + ProcessEvery;
        await Eventually.Async(
            () => !Faults.IsEmpty || (_submitted.Count > until && _open.Values.All(number => number > until)), TimeSpan.FromMinutes(1), $"tasks up to {until} have ended");
        Assert.Empty(Faults);
    }

    /// <summary>Submits no more, and waits until all has ended.</summary>
    public async Task EndAsync()
    {
        await _end.CancelAsync();
        await _submitting;
        await Eventually.Async(() => !Faults.IsEmpty || _open.IsEmpty, TimeSpan.FromMinutes(1), "all tasks have ended");
        await _reading;
        Assert.Empty(Faults);
    }

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        await _end.CancelAsync();
        await Task.WhenAll(_submitting, _reading);
        _api.Dispose();
        _end.Dispose();
    }

    private async Task SubmitAsync()
    {
        using var interval = new PeriodicTimer(Interval);
        for (var number = 1; !_end.IsCancellationRequested && Faults.IsEmpty; number++)
        {
            var body = number % ProcessEvery == 0
                ? $$"""{ "agent": "shell", "brief": "sleep 0.3; echo '{\"number\": {{number}}}' > output/result.json", "title": "load {{number}}" }"""
                : $$"""{ "agent": "noop", "brief": "nothing", "title": "load {{number}}" }""";
            if (await CallAsync(HttpMethod.Post, "/api/v1/tasks", body, $"load-{number}") is not { } task) return;
            _submitted.Enqueue(task.Id);
            _open[task.Id] = number;
            await interval.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    private async Task ReadAsync()
    {
        using var interval = new PeriodicTimer(Interval);
        while (!_disposed && Faults.IsEmpty && !(_submitting.IsCompleted && _open.IsEmpty))
        {
            foreach (var (id, number) in _open.OrderBy(open => open.Value).Take(3))
            {
                if (await CallAsync(HttpMethod.Get, $"/api/v1/tasks/{id}", null, null) is not { } task) return;
                if (task.Status.IsFinal() && task.Status != TaskState.Succeeded) Faults.Enqueue($"Task {number} is {task.Status}: {task.Failure?.Message}");
                if (task.Status.IsFinal()) _open.TryRemove(id, out _);
            }
            await interval.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Null where there is a fault.</summary>
    private async Task<TaskView?> CallAsync(HttpMethod method, string path, string? body, string? idempotencyKey)
    {
        var cut = "";
        for (var cuts = 0; cuts < MostCuts; cuts++)
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
            try
            {
                using var answer = await _api.SendAsync(request, CancellationToken.None);
                var text = await answer.Content.ReadAsStringAsync(CancellationToken.None);
                if (answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created) return JsonSerializer.Deserialize(text, ContractsJson.Default.TaskView);
                Faults.Enqueue($"{method} {path} was answered {(int)answer.StatusCode}: {text}");
                return null;
            }
            catch (HttpRequestException fault)
            {
                cut = fault.Message;
                Interlocked.Increment(ref _cuts);
                await Task.Delay(CutPause, CancellationToken.None);
            }
            catch (OperationCanceledException)
            {
                Faults.Enqueue($"{method} {path} was not answered in {_api.Timeout}.");
                return null;
            }
        }
        Faults.Enqueue($"{method} {path} found nobody: {cut}");
        return null;
    }
}
