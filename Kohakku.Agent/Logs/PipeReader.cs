using System.Runtime.InteropServices;
using Kohakku.Agent.Processes;

namespace Kohakku.Agent.Logs;

/// <summary>Drains one output of the agent to the end, on a thread of its own: a blocking read is the cheapest wait there is.</summary>
internal static unsafe class PipeReader
{
    private const int BufferSize = 64 * 1024;

    /// <summary>Ends when the last process that holds the pipe has closed it.</summary>
    public static Task Start(int descriptor, LogStream stream, LogBuffer log)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Read(descriptor, stream, log, ended), maxStackSize: 256 * 1024) { IsBackground = true, Name = LogStreams.NameOf(stream) }.Start();
        return ended.Task;
    }

    private static void Read(int descriptor, LogStream stream, LogBuffer log, TaskCompletionSource ended)
    {
        var buffer = stackalloc byte[BufferSize];
        while (true)
        {
            var count = LibC.Read(descriptor, buffer, BufferSize);
            if (count > 0) log.Append(stream, new ReadOnlySpan<byte>(buffer, (int)count));
            else if (count == 0 || Marshal.GetLastPInvokeError() != LibC.Interrupted) break;
        }
        _ = LibC.Close(descriptor);
        ended.SetResult();
    }
}
