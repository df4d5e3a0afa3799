namespace Kohakku.Tests.EndToEnd;

/// <summary>The main job with agents as processes of this host.</summary>
public sealed class ProcessMainJobTests(ProcessMainJobTests.Processes installation) : MainJob(installation), IClassFixture<ProcessMainJobTests.Processes>
{
    public sealed class Processes() : Installation("process")
    {
        public override Task NothingRunsAsync(Guid taskId) =>
            Eventually.Async(() => AgentProcesses.Of(taskId).Count == 0, what: $"no process of task {taskId} is left");
    }
}
