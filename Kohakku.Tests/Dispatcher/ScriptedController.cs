using System.Collections.Concurrent;
using System.Text.Json;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.Dispatcher;

/// <summary>
/// A controller that speaks section 3 of the interfaces on a real port, keeps all in memory, and misbehaves when a test says so. It
/// checks what the real one relies on: events gapless and in order, one end per attempt.
/// </summary>
internal sealed class ScriptedController : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly WebApplication app;
    private readonly Queue<AttemptOrder> queue = new();
    private readonly Dictionary<Guid, AttemptOrder[]> answered = [];
    private readonly Dictionary<Guid, List<AttemptEvent>> applied = [];
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource<EndedData>> ends = new();
    private TaskCompletionSource queued = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Guid session;
    private int ended;

    private ScriptedController(WebApplication app) => this.app = app;

    public Uri Url => new(app.Urls.First());
    public Guid DispatcherId { get; } = Guid.CreateVersion7();

    /// <summary>All calls answer 503.</summary>
    public bool Away { get; set; }
    /// <summary>So many claims are answered by a cut connection, after they have taken effect.</summary>
    public int LoseClaims { get; set; }
    /// <summary>So many callbacks are applied, but answered by a cut connection.</summary>
    public int LoseCallbacks { get; set; }
    /// <summary>So many callbacks are taken only up to the batch's first event.</summary>
    public int TakeOnlyFirst { get; set; }
    /// <summary>Of every call but registrations: the session is not known.</summary>
    public bool ForgetSession { get; set; }
    public bool Supersede { get; set; }
    public bool Drain { get; set; }
    public int HeartbeatSeconds { get; set; } = 1;
    public ConcurrentDictionary<Guid, string> Stops { get; } = new();
    public ConcurrentQueue<AttemptMessage> Messages { get; } = new();
    /// <summary>Callbacks of these are answered by <c>stop</c>.</summary>
    public ConcurrentDictionary<Guid, bool> Fenced { get; } = new();

    public ConcurrentQueue<ClaimRequest> Claims { get; } = new();
    public ConcurrentQueue<RegisterDispatcher> Registrations { get; } = new();
    public ConcurrentQueue<HeartbeatRequest> Heartbeats { get; } = new();
    /// <summary>What no dispatcher should ever do; a test asserts that it is empty.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();
    public int Ended => Volatile.Read(ref ended);

    public static async Task<ScriptedController> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ContractsJson.Default));
        var app = builder.Build();
        var controller = new ScriptedController(app);
        app.Use(async (context, next) =>
        {
            if (controller.Away) context.Response.StatusCode = 503;
            else if (!context.Request.Headers.ContainsKey("webhook-signature")) context.Response.StatusCode = 401;
            else await next(context);
        });
        app.MapPost("/api/v1/dispatchers", controller.Register);
        app.MapPost("/api/v1/dispatchers/{id:guid}/claims", controller.ClaimAsync);
        app.MapPost("/api/v1/dispatchers/{id:guid}/heartbeat", controller.Beat);
        app.MapPost("/api/v1/callbacks", controller.Apply);
        await app.StartAsync();
        return controller;
    }

    public void Submit(params IEnumerable<AttemptOrder> orders)
    {
        TaskCompletionSource waiting;
        lock (gate)
        {
            foreach (var order in orders) queue.Enqueue(order);
            (waiting, queued) = (queued, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        waiting.TrySetResult();
    }

    public Task<EndedData> EndOfAsync(Guid attemptId) =>
        ends.GetOrAdd(attemptId, _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(TimeSpan.FromSeconds(60));

    public IReadOnlyList<AttemptEvent> EventsOf(Guid attemptId)
    {
        lock (gate) return applied.TryGetValue(attemptId, out var events) ? [.. events] : [];
    }

    public string[] TypesOf(Guid attemptId) => [.. EventsOf(attemptId).Select(each => each.Type)];

    public async ValueTask DisposeAsync()
    {
        Submit();
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        try
        {
            await app.StopAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // A long poll was open.
        }
        await app.DisposeAsync();
    }

    private IResult Register(RegisterDispatcher registration)
    {
        Registrations.Enqueue(registration);
        ForgetSession = false;
        lock (gate) session = Guid.CreateVersion7();
        return Results.Ok(new DispatcherRegistration(DispatcherId, session, 15, HeartbeatSeconds, TimeProvider.System.GetUtcNow()));
    }

    private IResult? Refusal(Guid claimed) => ForgetSession ? Results.NotFound() : Supersede || claimed != session ? Results.Conflict() : null;

    private async Task<IResult> ClaimAsync(ClaimRequest request, HttpContext context)
    {
        Claims.Enqueue(request);
        if (Refusal(request.Session) is { } refusal) return refusal;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(TimeSpan.FromSeconds(request.WaitSeconds));
        while (true)
        {
            Task more;
            lock (gate)
            {
                more = queued.Task;
                if (!answered.TryGetValue(request.RequestId, out var orders) && queue.Count > 0)
                {
                    orders = new AttemptOrder[Math.Min(request.Slots, queue.Count)];
                    for (var i = 0; i < orders.Length; i++) orders[i] = queue.Dequeue();
                    answered[request.RequestId] = orders;
                }
                if (orders is not null)
                {
                    if (LoseClaims-- > 0) context.Abort();
                    return Results.Ok(new ClaimAnswer(orders));
                }
            }
            try
            {
                await more.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                return Results.Ok(new ClaimAnswer([]));
            }
            if (Supersede || ForgetSession) return Refusal(request.Session)!;
        }
    }

    private IResult Beat(HeartbeatRequest request)
    {
        Heartbeats.Enqueue(request);
        if (Refusal(request.Session) is { } refusal) return refusal;
        return Results.Ok(new HeartbeatAnswer(
            [.. Stops.Where(stop => request.Attempts.Contains(stop.Key)).Select(stop => new StopOrder(stop.Key, stop.Value))], [.. Messages], Drain));
    }

    private IResult Apply(CallbackBatch batch, HttpContext context)
    {
        if (ForgetSession) return Results.NotFound();
        var results = new List<CallbackResult>();
        lock (gate)
        {
            var left = TakeOnlyFirst-- > 0 ? 1 : int.MaxValue;
            foreach (var attempt in batch.Events.GroupBy(each => each.AttemptId))
            {
                if (!applied.TryGetValue(attempt.Key, out var events)) applied[attempt.Key] = events = [];
                foreach (var each in attempt)
                {
                    if (each.Sequence == events.Count + 1 && left-- > 0) Take(events, each);
                }
                results.Add(new CallbackResult(attempt.Key, events.Count, Fenced.ContainsKey(attempt.Key) ? CallbackOrder.Stop : CallbackOrder.Continue));
            }
            if (LoseCallbacks-- > 0) context.Abort();
        }
        return Results.Ok(new CallbackAnswer(results));
    }

    private void Take(List<AttemptEvent> events, AttemptEvent each)
    {
        if (events.Any(earlier => earlier.Type == AttemptEventTypes.Ended)) Violations.Enqueue($"{each.Type} after the end of {each.AttemptId}");
        events.Add(each);
        if (each.Type != AttemptEventTypes.Ended) return;
        Interlocked.Increment(ref ended);
        ends.GetOrAdd(each.AttemptId, _ => new(TaskCreationOptions.RunContinuationsAsynchronously))
            .TrySetResult(each.Data!.Value.Deserialize(ContractsJson.Default.EndedData)!);
    }
}
