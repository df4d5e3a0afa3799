using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Runtimes.Kubernetes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kohakku.Tests.Dispatcher.Runtimes.Kubernetes;

/// <summary>A cluster of its own for each test, and runtimes on it, whose runner is a shell script (<see cref="Launches"/>).</summary>
internal sealed class WorkerFixture : IAsyncDisposable
{
    private const string Install = "if [ \"$1\" = install ]; then cp \"$0\" \"$2\"; exit $?; fi";
    private readonly string folder;
    private readonly List<KubernetesRuntime> runtimes = [];

    private WorkerFixture(FakeCluster cluster, string folder) => (Cluster, this.folder) = (cluster, folder);

    public FakeCluster Cluster { get; }
    public Guid Instance { get; } = Guid.NewGuid();
    public LaunchLimits Limits { get; set; } = new();

    public static async Task<WorkerFixture> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("kohakku-worker-").FullName;
        Launches.WriteRunner(folder, "/bin/sh", Install);
        return new WorkerFixture(await FakeCluster.StartAsync(folder), folder);
    }

    public KubernetesRuntime Create(Guid? instance = null, Func<KubernetesOptions, KubernetesOptions>? change = null)
    {
        var options = new KubernetesOptions { Kubeconfig = Cluster.Kubeconfig, RunnerImage = "kohakku/dispatcher:test", Limits = Limits };
        var runtime = new KubernetesRuntime(
            new RuntimeOptions { Backend = RuntimeBackend.Worker, WorkspaceRoot = folder, Runner = new Runner("", ""), Kubernetes = change?.Invoke(options) ?? options },
            new FixedIdentity(instance ?? Instance), TimeProvider.System, NullLogger<KubernetesRuntime>.Instance);
        runtimes.Add(runtime);
        return runtime;
    }

    public async Task<KubernetesRuntime> RuntimeAsync(Guid? instance = null)
    {
        var runtime = Create(instance);
        await runtime.InitializeAsync(TestContext.Current.CancellationToken);
        return runtime;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var runtime in runtimes) await runtime.DisposeAsync();
        await Cluster.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
