using Kohakku.Contracts.Targets;

namespace Kohakku.Controller.Console.Targets;

/// <summary>What begins by itself, in words for a person, and how it stands.</summary>
internal static class TargetWords
{
    public static string Of(WorkTarget target) => target.Task is { } task ? $"task for {task.Agent}" : $"run of {target.Workflow}";

    /// <param name="status">Of a task or a run; null: it is kept no more.</param>
    public static string Status(string? status) => status switch
    {
        null => "Gone",
        "timedOut" => "Timed out",
        _ => char.ToUpperInvariant(status[0]) + status[1..],
    };

    public static string Tone(string? status) => status switch
    {
        "succeeded" => "good",
        "failed" or "timedOut" => "bad",
        "running" => "live",
        "waiting" or "paused" => "wait",
        "canceled" or null => "calm",
        _ => "soon",
    };

    public static string? Link(Guid? taskId, Guid? runId) => taskId is { } task ? $"/tasks/{task}" : runId is { } run ? $"/runs/{run}" : null;
}
