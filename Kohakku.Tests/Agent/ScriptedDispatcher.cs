using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.Agent;

/// <summary>The dispatcher's side of the agent protocol on a real server, which answers by script and keeps what it was told.</summary>
internal sealed class ScriptedDispatcher : IAsyncDisposable
{
    private readonly StringBuilder log = new();
    private readonly Lock gate = new();
    private readonly TaskCompletionSource<AgentHeartbeat> order = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(Func<bool> IsSeen, TaskCompletionSource Seen)> awaited = [];
    private WebApplication app;

    private ScriptedDispatcher(string? socket)
    {
        Socket = socket;
        app = Build(0);
    }

    public string? Socket { get; }
    public Uri Url { get; private set; } = new("http://localhost");
    public string[] Command { get; set; } = ["sh", "-eu", "BRIEF.md"];
    public string Brief { get; set; } = "";
    public JsonElement? Inputs { get; set; }
    public Dictionary<string, string> Env { get; } = [];
    public Dictionary<string, string> Secrets { get; } = [];
    public Dictionary<string, byte[]> Skills { get; } = [];
    public ConcurrentDictionary<string, (long Size, string Sha256)> Artifacts { get; } = [];
    public ConcurrentQueue<AgentResult> Results { get; } = [];
    /// <summary>Called before every answer; true when it has answered itself.</summary>
    public Func<HttpContext, Task<bool>> Fault { get; set; } = _ => Task.FromResult(false);
    /// <summary>After so many bytes of log it takes no more.</summary>
    public long LogLimit { get; set; } = long.MaxValue;
    public long LogBytes { get; private set; }
    public int LargestEvents { get; private set; }

    /// <summary>All streams in the order they came.</summary>
    public string Log
    {
        get
        {
            lock (gate) return log.ToString();
        }
    }

    public static async Task<ScriptedDispatcher> StartAsync(string? socket = null)
    {
        var dispatcher = new ScriptedDispatcher(socket);
        await dispatcher.ListenAsync();
        return dispatcher;
    }

    public void OrderStop(string reason) => order.TrySetResult(new AgentHeartbeat(AgentOrder.Stop, reason, []));

    /// <summary>Ends when the log has this text.</summary>
    public Task WhenLoggedAsync(string text) => WhenAsync(() => log.ToString().Contains(text, StringComparison.Ordinal));

    public Task WhenLogBytesAsync(long bytes) => WhenAsync(() => LogBytes >= bytes);

    /// <summary>All connections break and new ones are refused, until <see cref="ComeBackAsync"/>.</summary>
    public async Task GoAwayAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    public async Task ComeBackAsync()
    {
        app = Build(Url.Port);
        await ListenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        order.TrySetCanceled();
        await GoAwayAsync();
    }

    private Task WhenAsync(Func<bool> isSeen)
    {
        lock (gate)
        {
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (isSeen()) seen.SetResult();
            else awaited.Add((isSeen, seen));
            return seen.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        }
    }

    private async Task ListenAsync()
    {
        if (Socket is not null) File.Delete(Socket);
        await app.StartAsync();
        if (Socket is null) Url = new Uri(app.Urls.Single());
        else File.SetUnixFileMode(Socket, (UnixFileMode)0x1B6); // 0666
    }

    private WebApplication Build(int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            if (Socket is not null) kestrel.ListenUnixSocket(Socket);
            else kestrel.Listen(System.Net.IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var built = builder.Build();
        built.Run(AnswerAsync);
        return built;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (await Fault(context)) return;
        if (context.Request.Headers.Authorization != "Bearer the-token")
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }
        var path = context.Request.Path.Value!["/agent/v1/".Length..];
        switch (context.Request.Method, path)
        {
            case ("GET", "brief"):
                await WriteAsync(context, NewBrief(), ContractsJson.Default.AgentBrief);
                break;
            case ("POST", "heartbeat"):
                await AnswerHeartbeatAsync(context);
                break;
            case ("POST", "events"):
                await TakeEventsAsync(context);
                break;
            case ("POST", "result"):
                Results.Enqueue((await JsonSerializer.DeserializeAsync(context.Request.Body, ContractsJson.Default.AgentResult))!);
                break;
            case ("GET", _) when path.StartsWith("skills/", StringComparison.Ordinal) && Skills.TryGetValue(path["skills/".Length..], out var package):
                await context.Response.Body.WriteAsync(package);
                break;
            case ("PUT", _) when path.StartsWith("artifacts/", StringComparison.Ordinal):
                await TakeArtifactAsync(context, path["artifacts/".Length..]);
                break;
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
        }
    }

    private async Task AnswerHeartbeatAsync(HttpContext context)
    {
        Assert.Equal("20", context.Request.Query["wait"]);
        var answer = new AgentHeartbeat(AgentOrder.Continue, null, []);
        try
        {
            answer = await order.Task.WaitAsync(TimeSpan.FromSeconds(20), context.RequestAborted);
        }
        catch (Exception fault) when (fault is TimeoutException or OperationCanceledException)
        {
        }
        await WriteAsync(context, answer, ContractsJson.Default.AgentHeartbeat);
    }

    private async Task TakeEventsAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var events = JsonSerializer.Deserialize(body.ToArray(), ContractsJson.Default.IReadOnlyListAgentEvent)!;
        lock (gate)
        {
            LargestEvents = Math.Max(LargestEvents, (int)body.Length);
            foreach (var piece in events.OfType<LogEvent>())
            {
                LogBytes += piece.Text.Length;
                if (log.Length < 4 * 1024 * 1024) log.Append(piece.Stream == "runner" ? $"[runner] {piece.Text}" : piece.Text);
            }
            foreach (var (isSeen, seen) in awaited)
            {
                if (!seen.Task.IsCompleted && isSeen()) seen.SetResult();
            }
        }
        if (LogBytes > LogLimit) await context.Response.WriteAsync("""{"logLimit":true}""");
    }

    private async Task TakeArtifactAsync(HttpContext context, string path)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[128 * 1024];
        long size = 0;
        while (await context.Request.Body.ReadAsync(buffer) is var count and > 0)
        {
            hash.AppendData(buffer, 0, count);
            size += count;
        }
        Artifacts[path] = (size, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    private AgentBrief NewBrief() => new(
        Guid.CreateVersion7(), Guid.CreateVersion7(), 1, "A test", Brief, Inputs, Env, Secrets, [.. Skills.Keys.Select(name => new BriefedSkill(name, 1, "00"))],
        new BriefedAgent(AgentMode.Exec, Command), new ResourceLimits(), null);

    private static Task WriteAsync<T>(HttpContext context, T answer, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        context.Response.WriteAsJsonAsync(answer, type, cancellationToken: context.RequestAborted);
}
