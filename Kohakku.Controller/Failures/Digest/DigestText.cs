using System.Globalization;
using System.Text;
using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Controller.Failures.Digest;

/// <summary>A digest for people: what broke, since when, how often, what changed.</summary>
internal static class DigestText
{
    public static string Subject(FailureDigest digest)
    {
        var (isNew, cameBack) = (digest.Groups.Count(group => group.IsNew), digest.Groups.Count(group => group.CameBack));
        var news = isNew + cameBack == 0 ? "nothing new" : string.Join(", ", new[] { isNew == 0 ? null : $"{isNew} new", cameBack == 0 ? null : $"{cameBack} came back" }.OfType<string>());
        return $"Kohakku {digest.Project}: {Count(digest.Failures, "failure")}, {news}";
    }

    /// <param name="console">The controller's address.</param>
    public static string Body(FailureDigest digest, string console)
    {
        var text = new StringBuilder();
        Line($"{Count(digest.Failures, "failed attempt")} in project {digest.Project} from {Time(digest.From)} to {Time(digest.To)}; {digest.Before} in the day before.");
        foreach (var group in digest.Groups)
        {
            Line("");
            Line($"{(group.IsNew ? "NEW  " : group.CameBack ? "BACK " : "")}{group.Title}");
            Line($"  agent {group.Agent}, {WireEnum<FailureReason>.NameOf(group.Reason)} ({WireEnum<FailureKind>.NameOf(group.Kind)}), {WireEnum<FailureGroupState>.NameOf(group.Status)}");
            Line($"  {Count(group.Failures, "failure")}, {group.Before} in the day before; first {Time(group.FirstSeen)}, last {Time(group.LastSeen)}");
            Line($"  {console}/failures/{group.Id}");
        }

        if (digest.MoreGroups > 0) Line($"\nAnd {Count(digest.MoreGroups, "other failure")}: {console}/failures");
        return text.ToString();

        void Line(string line) => text.Append(line).Append('\n');
    }

    private static string Count(long count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count:#,0} {what}{(count == 1 ? "" : "s")}");

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
