using System.Text.Json;
using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Console.Shared;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Console.Targets;

/// <summary>What is to begin, as it stands in a form. What the form has no field for (a task's limits, its tags …) is kept as it was.</summary>
public sealed class TargetForm
{
    private SubmitTask? _task;

    public bool OfTask { get; set; } = true;
    public string? Agent { get; set; }
    public string? Title { get; set; }
    public string? Brief { get; set; }
    public string? Workflow { get; set; }
    /// <summary>Of the task or of the run: a JSON object.</summary>
    public string? Inputs { get; set; }

    public static TargetForm Of(WorkTarget target) => new()
    {
        _task = target.Task,
        OfTask = target.Task is not null,
        Agent = target.Task?.Agent,
        Title = target.Task?.Title,
        Brief = target.Task?.Brief,
        Workflow = target.Workflow,
        Inputs = (target.Task is { } task ? task.Inputs : target.Inputs) is { ValueKind: JsonValueKind.Object } inputs ? PrettyJson.Of(inputs) : null,
    };

    /// <summary>The target that a program would give; what can't be read goes to <paramref name="faults"/>. All rules besides are the API's own.</summary>
    public WorkTarget ToTarget(Faults faults)
    {
        var inputs = FormJson.Read(Inputs, "inputs", faults);
        return OfTask
            ? new WorkTarget
            {
                Task = (_task ?? new SubmitTask()) with { Agent = Agent, Title = string.IsNullOrWhiteSpace(Title) ? null : Title.Trim(), Brief = Brief?.ReplaceLineEndings("\n"), Inputs = inputs },
            }
            : new WorkTarget { Workflow = Workflow ?? "", Inputs = inputs };
    }
}
