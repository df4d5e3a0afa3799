using Kohakku.Workflows.Interpreter;
using Temporalio.Common;
using Temporalio.Worker;

namespace Kohakku.Tests.Workflows.Interpreter;

/// <summary>
/// Runs that began under an earlier release end under this one: histories of real runs, recorded when engine 1 was made, replay with the code of today. One that
/// fails here says that running runs would break; the change needs a new engine, beside this one. Record more, never again the same.
/// </summary>
public sealed class RecordedHistoryTests
{
    public static TheoryData<string> Recorded { get; } =
        [.. Directory.EnumerateFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Workflows", "Interpreter", "Histories");

    [Theory]
    [MemberData(nameof(Recorded))]
    public async Task A_recorded_run_replays(string name)
    {
        var history = WorkflowHistory.FromJson(name, await File.ReadAllTextAsync(Path.Combine(Folder, $"{name}.json"), TestContext.Current.CancellationToken));
        var replayed = await new WorkflowReplayer(new WorkflowReplayerOptions().AddWorkflow<RunWorkflow>()).ReplayWorkflowAsync(history);
        Assert.Null(replayed.ReplayFailure);
    }
}
