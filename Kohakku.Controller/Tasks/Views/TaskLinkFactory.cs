using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Identity;

namespace Kohakku.Controller.Tasks.Views;

/// <summary>Where a task is found, under the controller's own public address.</summary>
internal sealed class TaskLinkFactory(ControllerOptions options)
{
    public TaskLinks Of(Guid id)
    {
        var self = $"{options.Url}/api/v1/tasks/{id}";
        return new TaskLinks(self, $"{self}/events", $"{self}/logs", $"{self}/artifacts", $"{options.Url}/tasks/{id}");
    }
}
