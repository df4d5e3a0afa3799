using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kohakku.Dispatcher.Runtimes.Process;

/// <summary>
/// Tells when processes end, children of ours or not: one thread for all of them, asleep in the kernel until one does.
/// All members may be called at once.
/// </summary>
internal sealed unsafe class ProcessExits : IDisposable
{
    private const int Add = 1;
    private const uint ReadableOnce = 0x1 | 0x40000000; // EPOLLIN | EPOLLONESHOT
    private const int Interrupted = 4; // EINTR
    private const int CloseOnExec = 0x80000;
    private const int BatchSize = 64;

    // struct epoll_event { uint32_t events; uint64_t data; } is packed on x86-64 and nowhere else.
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - 8;

    private readonly ConcurrentDictionary<int, TaskCompletionSource> waiting = new();
    private readonly SafeFileHandle epoll = new(LibC.EpollCreate(CloseOnExec), ownsHandle: true);
    private readonly SafeFileHandle closing = new(LibC.EventFd(0, CloseOnExec), ownsHandle: true);
    private readonly Thread thread;

    public ProcessExits()
    {
        Watch(Descriptor(closing));
        thread = new Thread(Run) { IsBackground = true, Name = "process exits" };
        thread.Start();
    }

    /// <param name="process">From <see cref="LibC.OpenProcess"/>; must stay open until the answer. Asked for once per handle.</param>
    /// <returns>Completes when the process has ended.</returns>
    public Task WhenEnded(SafeFileHandle process)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting[Descriptor(process)] = ended;
        Watch(Descriptor(process));
        return ended.Task;
    }

    public void Dispose()
    {
        var one = 1UL;
        _ = LibC.Write(closing, (byte*)&one, sizeof(ulong));
        thread.Join();
        epoll.Dispose();
        closing.Dispose();
        foreach (var ended in waiting.Values) ended.TrySetCanceled();
    }

    private void Run()
    {
        var events = stackalloc byte[EventSize * BatchSize];
        var end = Descriptor(closing);
        while (true)
        {
            var count = LibC.EpollWait(epoll, events, BatchSize, -1);
            if (count < 0 && Marshal.GetLastPInvokeError() != Interrupted) throw LibC.Failure("epoll_wait", Marshal.GetLastPInvokeError());
            for (var index = 0; index < count; index++)
            {
                var descriptor = (int)*(ulong*)(events + (index * EventSize) + DataOffset);
                if (descriptor == end) return;
                if (waiting.TryRemove(descriptor, out var ended)) ended.SetResult();
            }
        }
    }

    private void Watch(int descriptor)
    {
        var @event = stackalloc byte[EventSize];
        *(uint*)@event = ReadableOnce;
        *(ulong*)(@event + DataOffset) = (ulong)descriptor;
        if (LibC.EpollControl(epoll, Add, descriptor, @event) != 0) throw LibC.Failure("epoll_ctl", Marshal.GetLastPInvokeError());
    }

    private static int Descriptor(SafeFileHandle handle) => (int)handle.DangerousGetHandle();
}
