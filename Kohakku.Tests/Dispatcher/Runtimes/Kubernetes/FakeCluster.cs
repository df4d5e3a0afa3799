using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.Dispatcher.Runtimes.Kubernetes;

/// <summary>
/// A cluster that speaks the Kubernetes API over HTTP for what the <c>worker</c> runtime uses, and really runs its pods: their containers are
/// processes of this machine (<see cref="FakePod"/>). Bodies are read strictly: a field that the API does not know answers 400. What only a
/// real cluster has (admission, quotas, networks, images, cgroups) it does not have; tests say what such a cluster would answer.
/// </summary>
internal sealed partial class FakeCluster : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly CancellationTokenSource stopped = new();
    private CancellationTokenSource watches = new();
    private int broken;

    private FakeCluster(WebApplication app, string runnerFolder) => (this.app, RunnerFolder, Store) = (app, runnerFolder, new ClusterStore());

    public ClusterStore Store { get; }
    /// <summary>What lies in <c>/app/runner</c> of the runner's image.</summary>
    public string RunnerFolder { get; }
    public string Folder { get; } = Directory.CreateTempSubdirectory("kohakku-cluster-").FullName;
    public string Kubeconfig => Path.Combine(Folder, "kubeconfig");
    public ConcurrentDictionary<Guid, FakePod> Pods { get; } = new();

    /// <summary>Connections break without an answer.</summary>
    public bool IsAway { get; set; }
    /// <summary>Connections that broke because it was away.</summary>
    public int Broken => Volatile.Read(ref broken);
    /// <summary>Calls that are not allowed, as <c>create secrets</c>.</summary>
    public HashSet<string> Denied { get; } = [];
    /// <summary>All calls that were made, as <c>batch/jobs create</c>.</summary>
    public ConcurrentDictionary<string, int> Calls { get; } = new();
    public List<V1NetworkPolicy> Policies { get; } = [new() { Spec = new V1NetworkPolicySpec { PodSelector = new V1LabelSelector(), PolicyTypes = ["Ingress", "Egress"] } }];
    /// <summary>Of images that can't be pulled: the states that the kubelet goes through, again and again.</summary>
    public Dictionary<string, (string Reason, string Message)[]> PullFaults { get; } = [];
    /// <summary>The scheduler's words while no node takes a pod.</summary>
    public string? NoRoom { get; set; }
    /// <summary>Jobs make no pods, as with a quota that is used up.</summary>
    public bool MakesNoPods { get; set; }
    /// <summary>Nodes that do not answer: pods that are told to end don't.</summary>
    public bool NodesAreSilent { get; set; }
    /// <summary>What creating a Job answers instead.</summary>
    public (int Status, string Message)? RefuseJobs { get; set; }

    public static async Task<FakeCluster> StartAsync(string runnerFolder)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var cluster = new FakeCluster(app, runnerFolder);
        app.Run(cluster.AnswerAsync);
        await app.StartAsync();
        await File.WriteAllTextAsync(cluster.Kubeconfig, $$"""
            apiVersion: v1
            kind: Config
            current-context: test
            contexts: [{ name: test, context: { cluster: test, user: test } }]
            clusters: [{ name: test, cluster: { server: "{{app.Urls.First()}}" } }]
            users: [{ name: test, user: { token: secret } }]
            """);
        return cluster;
    }

    /// <summary>Ends all watches.</summary>
    /// <param name="gone">The API has also forgotten where they were.</param>
    public void BreakWatches(bool gone = false)
    {
        if (gone) Store.Compact();
        Interlocked.Exchange(ref watches, new CancellationTokenSource()).Cancel();
    }

    public FakePod PodOf(Guid attemptId) => Pods[attemptId];

    public async ValueTask DisposeAsync()
    {
        await stopped.CancelAsync();
        BreakWatches();
        foreach (var pod in Pods.Values) pod.Kill();
        await Task.WhenAll(Pods.Values.Select(pod => pod.Ended));
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await app.StopAsync(limit.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        await app.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    // /apis/batch/v1/namespaces/kohakku-agents/jobs/name, /api/v1/namespaces/kohakku-agents/pods/name/log
    [GeneratedRegex(@"^/(?:api|apis/(?<group>[^/]+))/v1/namespaces/(?<namespace>[^/]+)/(?<resource>[^/]+)(?:/(?<name>[^/]+)(?:/(?<sub>[^/]+))?)?$")]
    private static partial Regex Route();

    private async Task AnswerAsync(HttpContext context)
    {
        if (IsAway)
        {
            Interlocked.Increment(ref broken);
            context.Abort();
            return;
        }
        if (context.Request.Headers.Authorization != "Bearer secret")
        {
            await FailAsync(context, 401, "Unauthorized");
            return;
        }
        try
        {
            if (context.Request.Path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") await ReviewAsync(context);
            else await CallAsync(context);
        }
        catch (Exception fault) when (fault is YamlDotNet.Core.YamlException or FormatException)
        {
            await FailAsync(context, 400, $"strict decoding error: {fault.Message} {fault.InnerException?.Message}");
        }
    }

    private async Task ReviewAsync(HttpContext context)
    {
        var review = await BodyAsync<V1SelfSubjectAccessReview>(context);
        var asked = review.Spec.ResourceAttributes;
        var resource = asked.Subresource is { Length: > 0 } sub ? $"{asked.Resource}/{sub}" : asked.Resource;
        review.Status = new V1SubjectAccessReviewStatus { Allowed = !Denied.Contains($"{asked.Verb} {resource}") };
        await WriteAsync(context, review, 201);
    }

    private async Task CallAsync(HttpContext context)
    {
        var route = Route().Match(context.Request.Path);
        if (!route.Success)
        {
            await FailAsync(context, 404, "the server could not find the requested resource");
            return;
        }
        var (name, sub) = (route.Groups["name"].Value, route.Groups["sub"].Value);
        var resource = sub.Length > 0 ? $"{route.Groups["resource"].Value}/{sub}" : route.Groups["resource"].Value;
        var isWatch = context.Request.Query["watch"] == "true";
        var verb = context.Request.Method switch { "POST" => "create", "DELETE" => "delete", _ => isWatch ? "watch" : name.Length > 0 ? "get" : "list" };
        var call = $"{route.Groups["group"].Value}/{resource} {verb}";
        Calls.AddOrUpdate(call, 1, (_, count) => count + 1);
        if (Denied.Contains($"{verb} {resource}"))
        {
            await FailAsync(context, 403, $"{resource} is forbidden: User \"dispatcher\" cannot {verb} resource");
            return;
        }
        switch (call)
        {
            case "batch/jobs create":
                await CreateJobAsync(context);
                break;
            case "batch/jobs get":
                await WriteOrMissAsync(context, Store.Job(name), "jobs.batch", name);
                break;
            case "batch/jobs list":
                await WriteAsync(context, new V1JobList { ApiVersion = "batch/v1", Kind = "JobList", Metadata = new V1ListMeta(), Items = [.. Store.Jobs.Where(job => Selects(context, job.Metadata))] });
                break;
            case "batch/jobs delete":
                await DeleteJobAsync(context, name);
                break;
            case "/secrets create":
                var secret = await BodyAsync<V1Secret>(context);
                if (Store.Add(secret)) await WriteAsync(context, secret, 201);
                else await FailAsync(context, 409, $"secrets \"{secret.Metadata.Name}\" already exists");
                break;
            case "/pods list":
                await WriteAsync(context, Store.ListPods(metadata => Selects(context, metadata)));
                break;
            case "/pods watch":
                await WatchAsync(context);
                break;
            case "/pods get":
                await WriteOrMissAsync(context, Store.Pod(name), "pods", name);
                break;
            case "/pods/log get":
                await LogAsync(context, name);
                break;
            case "/pods delete":
                await DeletePodAsync(context, name);
                break;
            case "networking.k8s.io/networkpolicies list":
                await WriteAsync(context, new V1NetworkPolicyList { ApiVersion = "networking.k8s.io/v1", Kind = "NetworkPolicyList", Metadata = new V1ListMeta(), Items = Policies });
                break;
            default:
                await FailAsync(context, 405, $"this cluster knows no {call}");
                break;
        }
    }

    private async Task CreateJobAsync(HttpContext context)
    {
        var job = await BodyAsync<V1Job>(context);
        if (RefuseJobs is var (status, message) && RefuseJobs is not null)
        {
            await FailAsync(context, status, message);
            return;
        }
        if (!Store.Add(job))
        {
            await FailAsync(context, 409, $"jobs.batch \"{job.Metadata.Name}\" already exists");
            return;
        }
        await WriteAsync(context, job, 201);
        if (MakesNoPods) return;
        var pod = new FakePod(this, job);
        Pods[pod.AttemptId] = pod;
        pod.Start();
    }

    private async Task DeleteJobAsync(HttpContext context, string name)
    {
        var options = await BodyAsync<V1DeleteOptions>(context);
        if (Store.RemoveJob(name) is not { } job)
        {
            await FailAsync(context, 404, $"jobs.batch \"{name}\" not found");
            return;
        }
        Assert.Equal("Background", options.PropagationPolicy);
        // The garbage collector's part.
        foreach (var pod in Pods.Values.Where(pod => pod.JobUid == job.Metadata.Uid)) pod.Delete(grace: null);
        await StatusAsync(context, 200, "Success", "");
    }

    private async Task DeletePodAsync(HttpContext context, string name)
    {
        var options = await BodyAsync<V1DeleteOptions>(context);
        var pod = Pods.Values.FirstOrDefault(pod => pod.Name == name && Store.Pod(name) is not null);
        if (pod is null) await FailAsync(context, 404, $"pods \"{name}\" not found");
        else if (options.Preconditions?.Uid is { } uid && Store.Pod(name)!.Metadata.Uid != uid) await FailAsync(context, 409, "the UID in the precondition does not match");
        else
        {
            pod.Delete(options.GracePeriodSeconds);
            await WriteAsync(context, Store.Pod(name) ?? pod.LastSeen);
        }
    }

    private async Task LogAsync(HttpContext context, string name)
    {
        var pod = Pods.Values.FirstOrDefault(pod => pod.Name == name);
        if (pod is null || Store.Pod(name) is null)
        {
            await FailAsync(context, 404, $"pods \"{name}\" not found");
            return;
        }
        Assert.Equal("agent", context.Request.Query["container"]);
        var lines = int.Parse(context.Request.Query["tailLines"]!, CultureInfo.InvariantCulture);
        context.Response.ContentType = "text/plain";
        await context.Response.WriteAsync(string.Join('\n', pod.Log.Split('\n').TakeLast(lines)));
    }

    private async Task WatchAsync(HttpContext context)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopped.Token, watches.Token);
        context.Response.ContentType = "application/json";
        await context.Response.StartAsync(ends.Token);
        try
        {
            await foreach (var each in Store.FollowPodsAsync(context.Request.Query["resourceVersion"].ToString(), metadata => Selects(context, metadata), ends.Token))
            {
                await context.Response.WriteAsync(each + "\n", ends.Token);
                await context.Response.Body.FlushAsync(ends.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Broken, as asked.
        }
    }

    private static bool Selects(HttpContext context, V1ObjectMeta metadata) =>
        context.Request.Query["labelSelector"].ToString().Split(',', StringSplitOptions.RemoveEmptyEntries).Select(term => term.Split('='))
            .All(term => metadata.Labels is not null && metadata.Labels.TryGetValue(term[0], out var value) && value == term[1]);

    /// <summary>JSON is YAML too, and the library's reader of that can be strict.</summary>
    private static async Task<T> BodyAsync<T>(HttpContext context) where T : new()
    {
        using var reader = new StreamReader(context.Request.Body);
        var text = await reader.ReadToEndAsync(context.RequestAborted);
        return text.Length == 0 ? new T() : KubernetesYaml.Deserialize<T>(text, strict: true);
    }

    private static async Task WriteAsync(HttpContext context, object answer, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(KubernetesJson.Serialize(answer), context.RequestAborted);
    }

    private static Task WriteOrMissAsync(HttpContext context, object? answer, string resource, string name) =>
        answer is null ? FailAsync(context, 404, $"{resource} \"{name}\" not found") : WriteAsync(context, answer);

    private static Task FailAsync(HttpContext context, int code, string message) => StatusAsync(context, code, "Failure", message);

    // The library reads this kind and does not write it.
    private static Task StatusAsync(HttpContext context, int code, string status, string message)
    {
        context.Response.StatusCode = code;
        return context.Response.WriteAsJsonAsync(new { kind = "Status", apiVersion = "v1", metadata = new { }, status, message, code }, context.RequestAborted);
    }
}
