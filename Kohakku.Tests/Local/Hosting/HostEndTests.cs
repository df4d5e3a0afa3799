using System.Diagnostics;
using Aspire.Hosting;
using Aspire.Hosting.Testing;
using Kohakku.Local.Hosting.Engine;
using Kohakku.Local.Hosting.Processes;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.Hosting;

public sealed class HostEndTests
{
    [Fact]
    public async Task Stopping_leaves_no_process_no_endpoints_and_no_lock()
    {
        await using var test = new TestApplication();
        test.AddServer("server");
        var app = await test.StartAsync();
        var process = Assert.NotNull(app.ProcessOf("server"));
        Assert.True(process.IsAlive);
        Assert.True(File.Exists(test.PathOf("endpoints.json")));

        await test.StopAsync();

        Assert.False(process.IsAlive);
        Assert.False(File.Exists(test.PathOf("endpoints.json")));
        Assert.Empty(Directory.GetFiles(test.PathOf("run")));
        using var next = new DataFolder(test.DataFolder).TryLock(out _);
        Assert.NotNull(next);
    }

    [Fact]
    public async Task A_service_that_ignores_the_stop_is_killed_when_told_a_second_time()
    {
        await using var test = new TestApplication();
        test.Builder.AddExecutable("stubborn", "sh", test.DataFolder, "-c", "trap '' TERM; touch ready; while :; do sleep 0.05; done").WithEndpoint(env: "PORT");
        var app = await test.StartAsync();
        await Eventually.Async(() => File.Exists(test.PathOf("ready")));
        var process = Assert.NotNull(app.ProcessOf("stubborn"));

        var stopping = app.StopAsync(TestContext.Current.CancellationToken);
        app.Kill();
        await stopping;

        Assert.False(process.IsAlive);
    }

    [Fact]
    public async Task What_a_dead_host_left_running_is_stopped_at_the_next_start()
    {
        await using var test = new TestApplication();
        test.AddServer("server");
        using var left = Process.Start("sleep", "1000");
        Directory.CreateDirectory(test.PathOf("run"));
        new PidFile(test.PathOf("run/server.pid")).Write(Assert.NotNull(ProcessIdentity.Of(left.Id)));

        await test.StartAsync();

        await left.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(128 + LibC.SigTerm, left.ExitCode);
    }

    [Fact]
    public async Task A_process_that_only_has_the_number_of_an_earlier_one_is_left_alone()
    {
        await using var test = new TestApplication();
        test.AddServer("server");
        using var stranger = Process.Start("sleep", "1000");
        var identity = Assert.NotNull(ProcessIdentity.Of(stranger.Id));
        Directory.CreateDirectory(test.PathOf("run"));
        new PidFile(test.PathOf("run/server.pid")).Write(identity with { StartTime = identity.StartTime - 1 });

        await test.StartAsync();

        Assert.True(identity.IsAlive);
        stranger.Kill();
    }

    [Fact]
    public async Task Children_end_when_the_thread_that_started_them_does_as_it_does_with_its_process()
    {
        var spawner = new Spawner();
        using var child = await spawner.StartAsync(new Launch("sleep", ["1000"], "/"));
        await Eventually.Async(() => File.ReadAllText($"/proc/{child.Id}/comm").Trim() == "sleep");

        spawner.Dispose();

        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(128 + LibC.SigTerm, child.ExitCode);
    }

    [Fact]
    public async Task A_second_host_on_the_same_folder_is_told_who_has_it()
    {
        await using var first = new TestApplication();
        first.AddServer("server");
        await first.StartAsync();
        await using var second = new TestApplication(first.DataFolder);
        second.AddServer("server");

        var fault = await Assert.ThrowsAsync<DataFolderTakenException>(second.StartAsync);

        Assert.Contains($"process {Environment.ProcessId}", fault.Message, StringComparison.Ordinal);
        Assert.Contains("KOHAKKU_DATA", fault.Message, StringComparison.Ordinal);
    }
}
