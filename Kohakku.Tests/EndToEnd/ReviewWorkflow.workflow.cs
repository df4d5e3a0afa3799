using System.Text.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Workflows.Activities;
using Temporalio.Workflows;

namespace Kohakku.Tests.EndToEnd;

/// <summary>The sample of docs/workflows-in-code.md: a draft, then reviews of it until one is content, three times at most.</summary>
[Workflow]
public class ReviewWorkflow
{
    private static readonly ActivityOptions Short = new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) };
    private static readonly ActivityOptions Waiting = new() { StartToCloseTimeout = TimeSpan.FromHours(2), HeartbeatTimeout = TimeSpan.FromSeconds(30) };

    [WorkflowRun]
    public async Task<string> RunAsync(string subject)
    {
        var text = await AskAsync($"echo '{{\"text\": \"On {subject}\"}}' > output/result.json");
        for (var round = 1; round <= 3; round++)
        {
            var verdict = await AskAsync($"echo '{{\"text\": \"{(round < 2 ? "again" : "good")}\"}}' > output/result.json");
            if (verdict == "good") return $"{text}, reviewed {round} times";
        }

        return text;
    }

    private static async Task<string> AskAsync(string brief)
    {
        var id = await Workflow.ExecuteActivityAsync((TaskActivities tasks) => tasks.SubmitAsync(new SubmitTask { Agent = "shell", Brief = brief }), Short);
        var ended = await Workflow.ExecuteActivityAsync((TaskActivities tasks) => tasks.AwaitAsync(id), Waiting);
        return ended.Status == TaskState.Succeeded && ended.Output is JsonElement output ? output.GetProperty("text").GetString()! : $"({ended.Status})";
    }
}
