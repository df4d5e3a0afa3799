using System.Globalization;

namespace Kohakku.Contracts.Storage;

/// <summary>Where things lie in the bucket of object storage, which controllers and dispatchers share. A folder ends in a slash.</summary>
public static class ObjectKeys
{
    /// <summary>What a task was given, as far as it lies here.</summary>
    public static string Briefs(Guid taskId) => $"briefs/{taskId}/";

    /// <summary>The brief of a task, where it is too large for the database.</summary>
    public static string Brief(Guid taskId) => $"briefs/{taskId}/brief.md";

    /// <summary>The inputs of a task, where they are too large for the database.</summary>
    public static string Inputs(Guid taskId) => $"briefs/{taskId}/inputs.json";

    /// <summary>A version's package; <paramref name="digest"/> is its SHA-256 in lower-case hex.</summary>
    public static string Skill(string name, string digest) => $"skills/{name}/{digest}.zip";

    /// <summary>All that an attempt has left; <paramref name="attempt"/> is its number in the task, from 1.</summary>
    public static string Artifacts(Guid taskId, int attempt) => string.Create(CultureInfo.InvariantCulture, $"artifacts/{taskId}/{attempt}/");

    /// <summary>One file that an attempt has left; <paramref name="path"/> is relative, with slashes.</summary>
    public static string Artifact(Guid taskId, int attempt, string path) => Artifacts(taskId, attempt) + path;

    /// <summary>An attempt's log, in segments.</summary>
    public static string Logs(Guid attemptId) => $"logs/{attemptId}/";

    /// <summary>One part of an attempt's log, from 0 without gaps.</summary>
    public static string LogSegment(Guid attemptId, int segment) => string.Create(CultureInfo.InvariantCulture, $"logs/{attemptId}/{segment:00000}.log");
}
