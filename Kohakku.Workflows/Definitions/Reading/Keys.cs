namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>Every key of the language, by the object it stands in. The schema for editors has the same; a test sees to it.</summary>
internal static class Keys
{
    public static readonly string[] Document = ["name", "description", "inputs", "concurrency", "timeout", "on_failure", "steps", "outputs"];
    public static readonly string[] Input = ["type", "required", "default", "description", "enum"];
    public static readonly string[] Concurrency = ["key", "limit"];
    public static readonly string[] Retry = ["max_attempts"];
    public static readonly string[] BestOf = ["count", "judge"];
    public static readonly string[] Judge = ["agent", "brief"];
    public static readonly string[] Approval = ["prompt", "timeout", "on_timeout"];
    public static readonly string[] Webhook = ["url", "method", "headers", "body"];
    public static readonly string[] Signal = ["name"];
    public static readonly string[] Resources = ["cpu", "memoryMb", "pids"];
    public static readonly string[] Network = ["mode", "allow"];

    /// <summary>Of any step.</summary>
    public static readonly string[] AnyStep = ["id", "needs", "if", "for_each", "max_parallel", "retry", "timeout", "continue_on_error"];
    /// <summary>Of a step for an agent, beside <c>agent</c> itself.</summary>
    public static readonly string[] Agent =
        ["brief", "title", "skills", "inputs", "env", "labels", "tags", "priority", "output", "resources", "network", "best_of"];
    /// <summary>Of a sub-workflow, beside <c>workflow</c> itself.</summary>
    public static readonly string[] Workflow = ["with", "version"];
    /// <summary>Those that say what a step does; it has one of them.</summary>
    public static readonly string[] Kinds = ["agent", "approval", "wait", "until", "workflow", "webhook", "signal"];

    public static readonly string[] Step = [.. AnyStep, .. Kinds, .. Agent, .. Workflow];
}
