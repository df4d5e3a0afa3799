using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Kohakku.Local.Hosting.Engine;

namespace Kohakku.Tests.Local.Hosting;

public sealed class ResourceOrderTests
{
    [Fact]
    public async Task A_resource_starts_when_what_it_waits_for_is_healthy_and_stops_before_it()
    {
        await using var test = new TestApplication();
        var order = test.PathOf("order");
        var below = test.AddServer("below", $"trap 'sleep 0.3; echo below >> {order}; exit' TERM; sleep 0.5");
        var job = test.Builder.AddExecutable("job", "sh", test.DataFolder, "-c", $"wget -q -O /dev/null $BELOW && echo job >> {order}")
            .WithEnvironment("BELOW", below.GetEndpoint("http")).WaitFor(below);
        test.Builder.AddExecutable("above", "sh", test.DataFolder, "-c", $"trap 'echo stopped >> {order}; exit' TERM; echo above >> {order}; while :; do sleep 0.05; done")
            .WithEndpoint(env: "PORT").WaitForCompletion(job).WaitFor(below);

        await test.StartAsync();
        var above = test.Supervisor("above");
        await Fixtures.Eventually.Async(() => File.ReadAllText(order).Contains("above", StringComparison.Ordinal));
        var process = above.Process;
        await test.StopAsync();

        Assert.Equal(["job", "above", "stopped"], await File.ReadAllLinesAsync(order, TestContext.Current.CancellationToken));
        Assert.False(process?.IsAlive);
    }

    [Fact]
    public void Resources_that_wait_for_each_other_are_refused()
    {
        var builder = DistributedApplicationTestingBuilder.Create([], new Dictionary<string, string?>());
        var one = builder.AddExecutable("one", "true", "/");
        var other = builder.AddExecutable("other", "true", "/").WaitFor(one);
        one.WaitFor(other);
        Assert.Throws<InvalidOperationException>(builder.Build);
    }

    [Fact]
    public async Task A_job_that_fails_is_told_and_stops_nothing()
    {
        await using var test = new TestApplication();
        test.AddServer("server");
        test.Builder.AddExecutable("job", "sh", test.DataFolder, "-c", "echo no image >&2; exit 3");

        await test.StartAsync();

        Assert.Equal(ServiceState.Failed, test.Supervisor("job").State);
        Assert.Equal(ServiceState.Healthy, test.Supervisor("server").State);
        Assert.Contains("no image", test.Output, StringComparison.Ordinal);
        Assert.Contains("ended with 3", test.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_waits_for_a_job_that_failed_does_not_start_and_the_start_says_so()
    {
        await using var test = new TestApplication();
        var job = test.Builder.AddExecutable("job", "false", test.DataFolder);
        test.AddServer("server").WaitForCompletion(job);

        var fault = await Assert.ThrowsAsync<DependencyFailedException>(test.StartAsync);

        Assert.Contains("job ended with 1", fault.Message, StringComparison.Ordinal);
    }
}
