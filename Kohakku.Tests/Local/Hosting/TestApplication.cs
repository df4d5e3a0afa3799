using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Kohakku.Local.Hosting.Engine;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.Hosting;

/// <summary>An application of small real programs (shells, BusyBox's web server) in a data folder of its own, gone at the end.</summary>
internal sealed class TestApplication : IAsyncDisposable
{
    private readonly bool ownsFolder;
    private readonly StringWriter output = new();

    public TestApplication(string? dataFolder = null)
    {
        ownsFolder = dataFolder is null;
        DataFolder = dataFolder ?? Directory.CreateTempSubdirectory("kohakku-hosting-").FullName;
        // As a clone's folder is: PostgreSQL's user may enter it.
        if (ownsFolder) File.SetUnixFileMode(DataFolder, (UnixFileMode)0b111_101_101);
        Builder = DistributedApplicationTestingBuilder.Create(
            [], new Dictionary<string, string?> { ["KOHAKKU_DATA"] = DataFolder }, TextWriter.Synchronized(output));
    }

    public string DataFolder { get; }
    public IDistributedApplicationBuilder Builder { get; }
    public DistributedApplication? App { get; private set; }

    /// <summary>What the console shows.</summary>
    public string Output => output.ToString();

    public string PathOf(string file) => Path.Combine(DataFolder, file);

    /// <summary>A web server that answers 200 at /, after what the script does first.</summary>
    public IResourceBuilder<ExecutableResource> AddServer(string name, string first = "", int? port = null)
    {
        Requirement.Program("busybox");
        var site = Directory.CreateDirectory(PathOf("site")).FullName;
        File.WriteAllText(Path.Combine(site, "index.html"), "here");
        return Builder.AddExecutable(name, "sh", DataFolder, "-c", $"{first}\nexec busybox httpd -f -p 127.0.0.1:$PORT -h {site}")
            .WithHttpEndpoint(port, env: "PORT")
            .WithHttpHealthCheck("/");
    }

    public async Task<DistributedApplication> StartAsync()
    {
        App = Builder.Build();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        await App.StartAsync(patience.Token);
        return App;
    }

    public Supervisor Supervisor(string name) => App!.Supervisors.First(supervisor => supervisor.Name == name);

    /// <summary>Stops it; its data stays for the next one on the same folder.</summary>
    public async Task StopAsync()
    {
        if (App is not null) await App.DisposeAsync();
        App = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (ownsFolder) Directory.Delete(DataFolder, recursive: true);
    }
}
