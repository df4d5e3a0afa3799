using System.Diagnostics;
using System.Formats.Tar;
using System.Net.Sockets;
using Docker.DotNet;
using Docker.DotNet.Models;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.Dispatcher.Runtimes.Docker;
using Kohakku.Dispatcher.Sockets;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kohakku.Tests.Dispatcher.Runtimes.Docker;

[CollectionDefinition(Name)]
public sealed class DockerCollection : ICollectionFixture<DockerFixture>
{
    public const string Name = "Docker engine";
}

/// <summary>
/// Images with one file in them (Debian's static busybox), made without a registry, and runtimes on the real engine. All
/// that was made goes at the end.
/// </summary>
public sealed class DockerFixture : IAsyncLifetime
{
    private const string Prelude = "for a in cat echo grep env id ls sleep tail touch stat nc mkdir; do eval \"$a() { /busybox $a \\\"\\$@\\\"; }\"; done";
    private readonly string name = $"kohakku-test/{Guid.NewGuid():N}";
    private readonly List<string> images = [];
    private readonly List<Guid> instances = [];
    private readonly List<string> runnerVolumes = [];
    private readonly Lock gate = new();
    private Socket? listener;
    private bool isReady;

    internal DockerClient Client { get; } = new DockerClientBuilder().WithEndpoint(new Uri("unix:///var/run/docker.sock")).Build();
    internal string Folder { get; } = Directory.CreateTempSubdirectory("kohakku-docker-").FullName;
    internal AttemptSockets Sockets { get; private set; } = null!;
    internal string RunnerPath { get; private set; } = "";
    internal string NetworkName { get; } = $"kohakku-test-{Guid.NewGuid():N}";

    /// <summary>Runs as root; its entry point fails, and must not run.</summary>
    internal string Image => $"{name}:root";
    internal string UserImage => $"{name}:user";
    /// <summary>Runs as root, and brings a workspace that belongs to another.</summary>
    internal string ForeignWorkspaceImage => $"{name}:workspace";
    internal string VolumeImage => $"{name}:volume";

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Called first in each test, so that without an engine it is skipped and not failed.</summary>
    internal async Task ReadyAsync([System.Runtime.CompilerServices.CallerMemberName] string test = "")
    {
        Requirement.DockerEngine(test);
        Requirement.Program("busybox", test);
        if (isReady) return;
        RunnerPath = Launches.WriteRunner(Path.Combine(Folder, "runner"), "/busybox sh", Prelude);
        Sockets = new AttemptSockets(Path.Combine(Folder, "sockets"));
        Sockets.Prepare();
        listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Sockets.ListeningPath));
        listener.Listen();
        string[] entryPoint = ["ENTRYPOINT [\"/busybox\",\"false\"]", "CMD [\"x\"]", "ENV FROM_IMAGE=yes", "HEALTHCHECK CMD [\"/busybox\",\"false\"]"];
        await ImportAsync("root", [.. entryPoint]);
        await ImportAsync("user", [.. entryPoint, "USER 1000:1000"]);
        await ImportAsync("volume", ["VOLUME /data"]);
        await ImportAsync("workspace", [], workspaceOwner: 1000);
        isReady = true;
    }

    internal DockerRuntime CreateRuntime(Guid? instanceId = null, Uri? dockerHost = null, string? runnerPath = null, AttemptSockets? sockets = null)
    {
        var identity = new FixedIdentity(instanceId ?? Guid.NewGuid());
        var runner = runnerPath ?? RunnerPath;
        lock (gate)
        {
            instances.Add(identity.InstanceId);
            if (File.Exists(runner)) runnerVolumes.Add(VolumeOf(runner));
        }
        var options = new RuntimeOptions
        {
            DockerHost = dockerHost,
            WorkspaceRoot = Folder,
            Runner = new Runner(runner, ""),
            DockerNetwork = NetworkName,
        };
        return new DockerRuntime(options, identity, sockets ?? Sockets, TimeProvider.System, NullLogger<DockerRuntime>.Instance);
    }

    internal async Task<DockerRuntime> StartRuntimeAsync(Guid? instanceId = null, Uri? dockerHost = null, string? runnerPath = null)
    {
        var runtime = CreateRuntime(instanceId, dockerHost, runnerPath);
        await runtime.InitializeAsync(TestContext.Current.CancellationToken);
        return runtime;
    }

    internal static string VolumeOf(string runnerPath) =>
        $"kohakku-agent-{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(runnerPath)))[..16]}";

    /// <summary>The layer all test images have.</summary>
    internal static async Task<byte[]> BusyboxTarAsync(int? workspaceOwner = null)
    {
        using var stream = new MemoryStream();
        await using (var tar = new TarWriter(stream, leaveOpen: true))
        {
            await using var program = File.OpenRead(Requirement.Find("busybox")!);
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, "busybox") { Mode = (UnixFileMode)0b111_101_101, DataStream = program });
            if (workspaceOwner is { } owner)
            {
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "workspace") { Mode = (UnixFileMode)0b111_000_000, Uid = owner, Gid = owner });
            }
        }
        return stream.ToArray();
    }

    internal void RemoveAtEnd(string image)
    {
        lock (gate) images.Add(image);
    }

    public async ValueTask DisposeAsync()
    {
        if (isReady)
        {
            foreach (var instance in instances) await RemoveContainersAsync(instance);
            foreach (var image in images) await IgnoreAsync(Client.Images.DeleteImageAsync(image, new ImageDeleteParameters { Force = true }));
            foreach (var volume in runnerVolumes.Distinct()) await IgnoreAsync(Client.Volumes.RemoveAsync(volume, force: true));
            await IgnoreAsync(Client.Networks.DeleteNetworkAsync(NetworkName));
        }
        listener?.Dispose();
        Client.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private async Task ImportAsync(string tag, List<string> changes, int? workspaceOwner = null)
    {
        using var tar = new MemoryStream(await BusyboxTarAsync(workspaceOwner));
        await Client.Images.CreateImageAsync(
            new ImagesCreateParameters { Repo = name, Tag = tag, Changes = changes }, tar, null, new Progress<JSONMessage>(), TestContext.Current.CancellationToken);
        RemoveAtEnd($"{name}:{tag}");
    }

    private async Task RemoveContainersAsync(Guid instanceId)
    {
        foreach (var label in new[] { ContainerLabels.Instance, ContainerLabels.Helper })
        {
            var left = await Client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = ContainerLabels.Filter(label, instanceId.ToString()) });
            foreach (var container in left)
            {
                await IgnoreAsync(Client.Containers.RemoveContainerAsync(container.ID, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }));
            }
        }
    }

    private static async Task IgnoreAsync(Task removal)
    {
        try
        {
            await removal;
        }
        catch (DockerApiException fault)
        {
            Debug.WriteLine(fault.Message);
        }
    }
}
