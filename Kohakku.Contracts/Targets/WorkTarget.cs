using System.Text.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Contracts.Targets;

/// <summary>What begins by itself, for a schedule or a trigger: a task, or a run of a workflow. Texts in it may be Liquid; what they see is the beginner's to say.</summary>
public sealed record WorkTarget
{
    /// <summary>As for <c>POST /api/v1/tasks</c>.</summary>
    public SubmitTask? Task { get; init; }
    /// <summary>The name of a workflow of the project; its newest version is run.</summary>
    public string? Workflow { get; init; }
    /// <summary>A JSON object; only with <see cref="Workflow"/>.</summary>
    public JsonElement? Inputs { get; init; }
}
