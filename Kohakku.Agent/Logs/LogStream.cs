namespace Kohakku.Agent.Logs;

/// <summary>Where a piece of log comes from.</summary>
internal enum LogStream : byte { Stdout, Stderr, Runner }

internal static class LogStreams
{
    public const int Count = 3;

    public static string NameOf(LogStream stream) => stream switch
    {
        LogStream.Stdout => "stdout",
        LogStream.Stderr => "stderr",
        _ => "runner",
    };
}
