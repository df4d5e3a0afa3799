namespace Kohakku.Local.Hosting.Output;

internal enum LineLevel
{
    Information,
    Warning,
    Error,
}

/// <summary>Tells how serious the lines of a program's output are. One reader per stream: a line may go on from the one before.</summary>
internal interface ILineLevels
{
    LineLevel Next(string line);
}

/// <summary>
/// ASP.NET Core's console format; what comes before its first record, or stands in none, is worth
/// <paramref name="outside"/> (a crash is told on standard error, in no format at all):
/// <code>
/// warn: Kohakku.Dispatcher.Claims[12]
///       The controller does not answer.
/// </code>
/// </summary>
internal sealed class AspNetLevels(LineLevel outside) : ILineLevels
{
    private const int HeadLength = 6; // "warn: ", and the indent of what follows
    private LineLevel? current;

    public LineLevel Next(string line)
    {
        if (line.Length >= HeadLength && line.AsSpan(4, 2) is ": ")
        {
            current = line.AsSpan(0, 4) switch
            {
                "fail" or "crit" => LineLevel.Error,
                "warn" => LineLevel.Warning,
                "info" or "dbug" or "trce" => LineLevel.Information,
                _ => outside,
            };
        }
        else if (line.Length > 0 && !char.IsWhiteSpace(line[0]))
        {
            current = outside;
        }
        return current ?? outside;
    }
}

/// <summary>PostgreSQL's: <c>2026-01-01 12:00:00.000 UTC [4711] FATAL:  …</c></summary>
internal sealed class PostgresLevels : ILineLevels
{
    private LineLevel current;

    public LineLevel Next(string line)
    {
        if (line.Length > 0 && char.IsWhiteSpace(line[0])) return current;
        // An ERROR is a statement's, which its client has been told; only what concerns the server is for the operator.
        return current = line.Contains("] FATAL: ", StringComparison.Ordinal) || line.Contains("] PANIC: ", StringComparison.Ordinal)
            ? LineLevel.Error
            : line.Contains("] WARNING: ", StringComparison.Ordinal) ? LineLevel.Warning : LineLevel.Information;
    }
}

/// <summary>Redis marks its warnings by a <c>#</c>: <c>4711:M 01 Jan 2026 12:00:00.000 # …</c></summary>
internal sealed class RedisLevels : ILineLevels
{
    // Said at each start with the same mark: greetings, and advice on kernel settings that a laptop need not follow.
    private static readonly string[] Harmless =
    [
        "oO0OoO0OoO0Oo", "Redis version=", "Configuration loaded", "Server initialized", "User requested shutdown", "Redis is now ready to exit",
        "overcommit", "Transparent Huge Pages", "TCP backlog", "no config file",
    ];

    public LineLevel Next(string line) =>
        line.Contains(" # ", StringComparison.Ordinal) && !Harmless.Any(text => line.Contains(text, StringComparison.Ordinal))
            ? LineLevel.Warning
            : LineLevel.Information;
}

internal sealed class FixedLevels(LineLevel level) : ILineLevels
{
    public LineLevel Next(string line) => level;
}
