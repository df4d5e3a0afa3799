using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Templates;

namespace Kohakku.Controller.Targets;

/// <summary>What is to begin, once the texts of its target are rendered: a task, or a run of the workflow.</summary>
internal sealed record RenderedTarget(SubmitTask? Task, string? Workflow, StartRun? Run);

/// <summary>A template can't be rendered: that of <see cref="Field"/>, as far as it is one alone.</summary>
internal sealed class RenderingException(string field, string message, Exception inner) : Exception(message, inner)
{
    public string Field { get; } = field;
}

internal static class TargetRendering
{
    /// <exception cref="RenderingException">A template can't be rendered, or what it came to has the wrong kind.</exception>
    public static RenderedTarget Render(WorkTarget target, TemplateScope scope)
    {
        try
        {
            return target.Task is { } task
                ? new RenderedTarget(Task(task, scope), null, null)
                : new RenderedTarget(null, target.Workflow, new StartRun { Inputs = target.Inputs is { } inputs ? Template.Value(inputs, scope) : null });
        }
        catch (TemplateException fault)
        {
            throw new RenderingException(FieldOf(target, scope), fault.Message, fault);
        }
        catch (JsonException fault)
        {
            throw new RenderingException($"target.task{fault.Path?.TrimStart('$')}", "has the wrong kind once its template is rendered", fault);
        }
    }

    private static SubmitTask Task(SubmitTask task, TemplateScope scope) => Template.Value(JsonSerializer.SerializeToElement(task, ContractsJson.Default.SubmitTask), scope)
        .Deserialize(ContractsJson.Default.SubmitTask)!;

    /// <summary>The first text that fails by itself; all of it where none does, as when together they are too large.</summary>
    private static string FieldOf(WorkTarget target, TemplateScope scope)
    {
        foreach (var (path, text) in TargetTexts.Of(TargetTexts.Json(target)))
        {
            try
            {
                Template.ValueOf(text, scope);
            }
            catch (TemplateException)
            {
                return path;
            }
        }

        return "target";
    }
}
