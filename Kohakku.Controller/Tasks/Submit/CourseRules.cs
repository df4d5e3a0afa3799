using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>When and how often a task runs: priority, attempts, timeout, start, needs, concurrency.</summary>
internal static class CourseRules
{
    private const int MaxNeeds = 100;
    private const int MaxConcurrency = 10_000;
    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(3_660);

    public static void Check(SubmitTask task, string prefix, DateTimeOffset now, Faults faults)
    {
        LimitRules.Range(task.Priority, -100, 100, $"{prefix}priority", faults);
        LimitRules.Range(task.MaxAttempts, 1, 100, $"{prefix}maxAttempts", faults);
        LimitRules.Range(task.TimeoutSeconds, 1, 2_592_000, $"{prefix}timeoutSeconds", faults);
        if (task.NotBefore > now + LongestDelay) faults.Add($"{prefix}notBefore", "must be at most ten years ahead");
        if (task.ExpiresAt > now + LongestDelay) faults.Add($"{prefix}expiresAt", "must be at most ten years ahead");
        else if (task.ExpiresAt <= task.NotBefore) faults.Add($"{prefix}expiresAt", "must be after notBefore");
        CheckNeeds(task.Needs, $"{prefix}needs", faults);
        CheckConcurrency(task, prefix, faults);
    }

    private static void CheckNeeds(IReadOnlyList<Guid>? needs, string field, Faults faults)
    {
        if (needs is null) return;
        if (needs.Count > MaxNeeds) faults.Add(field, $"must be at most {MaxNeeds}");
        else if (needs.Distinct().Count() != needs.Count) faults.Add(field, "must not name a task twice");
    }

    private static void CheckConcurrency(SubmitTask task, string prefix, Faults faults)
    {
        LimitRules.Range(task.ConcurrencyLimit, 1, MaxConcurrency, $"{prefix}concurrencyLimit", faults);
        if (task.ConcurrencyKey is not null)
        {
            if (TextRules.Line(task.ConcurrencyKey, 200) is { } rule) faults.Add($"{prefix}concurrencyKey", rule);
        }
        else if (task.ConcurrencyLimit is not null) faults.Add($"{prefix}concurrencyLimit", "needs a concurrencyKey");
    }
}
