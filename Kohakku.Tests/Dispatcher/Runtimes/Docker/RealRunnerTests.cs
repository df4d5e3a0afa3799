using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Sockets;
using Kohakku.Tests.Fixtures;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Kohakku.Tests.Dispatcher.Runtimes.Docker;

/// <summary>The real runner, brought into images that hold one file: it reaches its dispatcher over the mounted socket alone.</summary>
[Collection(DockerCollection.Name)]
public sealed class RealRunnerTests(DockerFixture docker)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_runs_an_agent_in_an_image_that_knows_nothing_of_it(bool asUser)
    {
        await docker.ReadyAsync();
        var runner = Path.Combine(AppContext.BaseDirectory, "runner", "kohakku-agent");
        Requirement.Met(File.Exists(runner), "there is no native runner (gcc and a new build make it)");
        var cancellationToken = TestContext.Current.CancellationToken;
        var sockets = new AttemptSockets(Path.Combine(docker.Folder, $"sockets-{asUser}"));
        sockets.Prepare();
        var result = new TaskCompletionSource<AgentResult>();
        var launch = Launches.Of("a token", asUser ? docker.UserImage : docker.Image);
        await using var dispatcher = await ServeAsync(sockets.ListeningPath, launch.AttemptId, result, cancellationToken);
        using var runtime = docker.CreateRuntime(runnerPath: runner, sockets: sockets);
        await runtime.InitializeAsync(cancellationToken);

        var exit = await runtime.RunAsync(launch, cancellationToken);

        Assert.Equal(0, exit.ExitCode);
        Assert.Equal(AgentOutcome.Succeeded, (await result.Task.WaitAsync(cancellationToken)).Status);
        Assert.Empty(await runtime.ListAsync(cancellationToken));
    }

    private static async Task<WebApplication> ServeAsync(string socket, Guid attemptId, TaskCompletionSource<AgentResult> result, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://unix:{socket}");
        var app = builder.Build();
        var none = new Dictionary<string, string>();
        var brief = new AgentBrief(
            Guid.NewGuid(), attemptId, 1, "test", "test -S /run/kohakku/agent.sock && test -f BRIEF.md && echo fine > output/report.md", null, none, none, [],
            new BriefedAgent(AgentMode.Exec, ["/busybox", "sh", "-eu", "BRIEF.md"]), new ResourceLimits(), null);
        app.Run(async context =>
        {
            var answer = context.Request.Path.Value![("/agent/v1/".Length)..] switch
            {
                "brief" => Results.Json(brief, ContractsJson.Default.AgentBrief),
                "heartbeat" => Results.Json(new AgentHeartbeat(AgentOrder.Continue, null, []), ContractsJson.Default.AgentHeartbeat),
                "result" => Take(await context.Request.ReadFromJsonAsync(ContractsJson.Default.AgentResult, context.RequestAborted)),
                _ => Results.Ok(),
            };
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            // A beat is a long poll: answered at once it would be asked for at once again.
            if (context.Request.Path.Value.EndsWith("heartbeat", StringComparison.Ordinal)) await result.Task.WaitAsync(context.RequestAborted);
            await answer.ExecuteAsync(context);
        });
        await app.StartAsync(cancellationToken);
        return app;

        IResult Take(AgentResult? posted)
        {
            result.TrySetResult(posted!);
            return Results.Ok();
        }
    }
}
