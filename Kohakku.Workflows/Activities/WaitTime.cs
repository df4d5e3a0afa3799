using System.Globalization;
using System.Text.Json;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Templates;

namespace Kohakku.Workflows.Activities;

/// <summary>When a wait ends.</summary>
internal static class WaitTime
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    /// <exception cref="TemplateException">What it renders to is no duration or time.</exception>
    public static DateTimeOffset Of(WaitStep wait, TemplateScope scope, DateTimeOffset now)
    {
        if (wait.For is { } template)
        {
            var text = Template.Text(template, scope);
            return Duration.TryParse(text, out var duration) && duration > TimeSpan.Zero && duration <= Longest
                ? now + duration
                : throw new TemplateException($"wait must be a duration from 1s to 365d, as '30s' or '1h30m'; it is '{text}'.");
        }

        var until = Template.ValueOf(wait.Until!, scope);
        var time = until.ValueKind == JsonValueKind.String ? until.GetString() : until.ToString();
        if (!DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var due))
            throw new TemplateException($"until must be a time, as '2026-01-31T09:00:00Z'; it is '{time}'.");
        return due > now + Longest ? throw new TemplateException($"until must be within 365 days; it is '{time}'.") : due < now ? now : due;
    }
}
