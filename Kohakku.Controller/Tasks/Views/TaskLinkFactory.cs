using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Tasks.Views;

/// <summary>Where a task is found, under the controller's own public address.</summary>
internal sealed class TaskLinkFactory(Uri controller)
{
    private readonly string _base = controller.ToString().TrimEnd('/');

    public TaskLinks Of(Guid id)
    {
        var self = $"{_base}/api/v1/tasks/{id}";
        return new TaskLinks(self, $"{self}/events", $"{self}/logs", $"{self}/artifacts", $"{_base}/tasks/{id}");
    }
}
