using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using System.Net.Http.Json;

namespace Kohakku.Tests.EndToEnd;

/// <summary>The main job with agents in containers of an image that knows nothing of Kohakku.</summary>
public sealed class DockerMainJobTests(DockerMainJobTests.Containers installation) : MainJob(installation), IClassFixture<DockerMainJobTests.Containers>
{
    [Fact]
    public async Task A_missing_image_fails_at_once_and_names_it()
    {
        using var put = await installation.Running.Api.PutAsJsonAsync(
            "/api/v1/agents/missing", new PutAgent { Image = "localhost:1/kohakku-agents/missing:1", Command = ["true"] }, ContractsJson.Default.PutAgent, TestContext.Current.CancellationToken);
        put.EnsureSuccessStatusCode();
        using var never = await installation.Running.Api.PutAsJsonAsync(
            "/api/v1/agents/never", new PutAgent { Image = "kohakku-no-such-image", Command = ["true"], PullPolicy = PullPolicy.Never }, ContractsJson.Default.PutAgent, TestContext.Current.CancellationToken);
        never.EnsureSuccessStatusCode();
        var task = await installation.Running.SubmitAsync(new SubmitTask { Agent = "never", Brief = "x" });
        var ended = await installation.Running.EndOfAsync(task.Id);
        Assert.Equal((TaskState.Failed, FailureReason.ImagePull), (ended.Status, ended.Failure!.Reason));
        Assert.Contains("kohakku-no-such-image", ended.Failure.Message, StringComparison.Ordinal);
        Assert.Single(ended.Attempts);
    }

    [Fact]
    public async Task An_agent_has_no_network_but_loopback_and_no_rights()
    {
        var task = await installation.Running.SubmitAsync(new SubmitTask
        {
            Agent = "shell",
            Brief = "ls /sys/class/net | tr '\\n' ' '\ngrep -E 'CapEff|NoNewPrivs' /proc/self/status\n",
        });
        Assert.Equal(TaskState.Succeeded, (await installation.Running.EndOfAsync(task.Id)).Status);
        var log = await installation.Running.LogAsync(task.Id);
        Assert.StartsWith("lo ", log, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t0000000000000000", log, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", log, StringComparison.Ordinal);
    }

    public sealed class Containers() : Installation("local")
    {
        public override ValueTask InitializeAsync()
        {
            Requirement.DockerEngine(nameof(DockerMainJobTests));
            Requirement.Program("busybox", nameof(DockerMainJobTests));
            return base.InitializeAsync();
        }

        public override Task NothingRunsAsync(Guid taskId) =>
            Eventually.Async(() => AgentProcesses.Of(taskId).Count == 0, what: $"no process of task {taskId} is left");
    }
}
