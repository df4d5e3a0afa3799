using System.Globalization;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Tasks.Views;

/// <summary>Why a task does not run yet, in words for an operator.</summary>
internal static class WaitReasons
{
    /// <param name="dispatchers">The labels of those that take work.</param>
    public static string? Of(
        TaskState status, bool claimable, string? concurrencyKey, IReadOnlyDictionary<string, string> labels, long unmetNeeds, DateTimeOffset? dueAt, bool hasFailed,
        IReadOnlyList<IReadOnlyDictionary<string, string>> dispatchers) => status switch
        {
            TaskState.Scheduled when unmetNeeds > 0 => unmetNeeds == 1 ? "waits for 1 task" : $"waits for {unmetNeeds} tasks",
            TaskState.Scheduled when dueAt is { } due => $"{(hasFailed ? "next try" : "starts")} at {Text(due)}",
            TaskState.Scheduled => "waits to be queued",
            TaskState.Queued when !claimable => $"other tasks hold concurrency key '{concurrencyKey}'",
            TaskState.Queued when dispatchers.Count == 0 => "no dispatcher is online",
            TaskState.Queued when !dispatchers.Any(offered => Fits(labels, offered)) =>
                $"no online dispatcher has the labels {string.Join(",", labels.Select(label => $"{label.Key}={label.Value}"))}",
            TaskState.Queued => "waits for a dispatcher",
            TaskState.Waiting => "waits for a person's answer",
            _ => null,
        };

    private static bool Fits(IReadOnlyDictionary<string, string> wanted, IReadOnlyDictionary<string, string> offered) =>
        wanted.All(label => offered.TryGetValue(label.Key, out var value) && value == label.Value);

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
