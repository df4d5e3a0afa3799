using Spectre.Console;

namespace Kohakku.Benchmarks;

/// <summary>What was measured, as tables.</summary>
internal static class Report
{
    /// <param name="series">Milliseconds.</param>
    public static void Latencies(string title, params ReadOnlySpan<(string Name, List<double> Series)> series)
    {
        var table = new Table().Title(Markup.Escape(title)).AddColumns("ms", "p50", "p90", "p99", "max");
        foreach (var (name, values) in series)
        {
            values.Sort();
            table.AddRow(name, Percentile(values, 0.50), Percentile(values, 0.90), Percentile(values, 0.99), $"{values[^1]:0.0}");
        }

        AnsiConsole.Write(table);
    }

    /// <param name="lifecycle">First submit to last end, by the installation's clock.</param>
    /// <param name="watched">The same as seen from outside, with the polling of this program.</param>
    public static void Throughput(
        string title, int tasks, TimeSpan submitted, TimeSpan lifecycle, TimeSpan watched, double controllerMiB, double dispatcherMiB)
    {
        Figures(
            title,
            ("durable submit", $"{tasks / submitted.TotalSeconds:N0} tasks/s"),
            ("whole lifecycle", $"{tasks / lifecycle.TotalSeconds:N0} tasks/s ({lifecycle.TotalSeconds:0.00} s to the last end)"),
            ("seen from outside after", $"{watched.TotalSeconds:0.00} s"),
            ("all succeeded, each in one attempt", "yes"),
            ("controller, resident", $"{controllerMiB:0} MiB"),
            ("dispatcher, resident", $"{dispatcherMiB:0} MiB"));
    }

    public static void Figures(string title, params ReadOnlySpan<(string Name, string Value)> figures)
    {
        var table = new Table().Title(Markup.Escape(title)).AddColumns("figure", "value").HideHeaders();
        foreach (var (name, value) in figures) table.AddRow(name, value);
        AnsiConsole.Write(table);
    }

    /// <summary>The nearest-rank percentile of sorted values.</summary>
    private static string Percentile(List<double> sorted, double share) =>
        $"{sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)]:0.0}";
}
