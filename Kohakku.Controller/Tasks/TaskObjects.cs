using System.Globalization;

namespace Kohakku.Controller.Tasks;

/// <summary>Where the parts of a task lie in object storage.</summary>
internal static class TaskObjects
{
    public static string Brief(Guid taskId) => $"briefs/{taskId}/brief.md";
    public static string Inputs(Guid taskId) => $"briefs/{taskId}/inputs.json";
    public static string Artifact(Guid taskId, int attempt, string path) => string.Create(CultureInfo.InvariantCulture, $"artifacts/{taskId}/{attempt}/{path}");
    public static string LogFolder(Guid attemptId) => $"logs/{attemptId}/";
}
