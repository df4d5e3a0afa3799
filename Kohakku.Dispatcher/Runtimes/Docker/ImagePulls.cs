using Docker.DotNet;
using Docker.DotNet.Models;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>
/// Pulls images: one pull per image however many ask for it, and so many at once as are allowed. A pull goes on while
/// anybody waits for it, and all who wait hear its progress. All members may be called at once.
/// </summary>
internal sealed partial class ImagePulls(DockerEngine engine, int atOnce, TimeProvider time, ILogger logger) : IDisposable
{
    private const int Tries = 3;
    /// <summary>Without any word of progress.</summary>
    private static readonly TimeSpan Stalled = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim slots = new(atOnce);
    private readonly Lock gate = new();
    private readonly Dictionary<string, Pull> running = [];

    /// <exception cref="LaunchException">It can't be had.</exception>
    public async Task PullAsync(string image, IProgress<int> progress, CancellationToken cancellationToken)
    {
        Pull pull;
        lock (gate)
        {
            if (!running.TryGetValue(image, out pull!)) running[image] = pull = new Pull();
            pull.Listeners.Add(progress);
            // It ends with its last listener, not with the one who happened to be first.
            pull.Done ??= Task.Run(() => RunAsync(image, pull), CancellationToken.None);
        }
        try
        {
            await pull.Done.WaitAsync(cancellationToken);
        }
        finally
        {
            lock (gate)
            {
                pull.Listeners.Remove(progress);
                if (pull.Listeners.Count == 0)
                {
                    // Nobody waits any more: whoever asks from here on starts anew.
                    if (running.GetValueOrDefault(image) == pull) running.Remove(image);
                    pull.Abandoned.Cancel();
                }
            }
        }
    }

    public void Dispose() => slots.Dispose();

    private async Task RunAsync(string image, Pull pull)
    {
        var token = pull.Abandoned.Token;
        try
        {
            await slots.WaitAsync(token);
            try
            {
                await RepeatAsync(image, new PullProgress(percent => Tell(pull, percent)), token);
            }
            finally
            {
                slots.Release();
            }
        }
        finally
        {
            lock (gate)
            {
                if (running.GetValueOrDefault(image) == pull) running.Remove(image);
            }
        }
    }

    private async Task RepeatAsync(string image, PullProgress progress, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await OnceAsync(image, progress, cancellationToken);
                progress.Complete();
                return;
            }
            catch (PullException fault) when (fault.Transient && attempt < Tries)
            {
                LogAgain(image, fault.Message);
                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
            catch (PullException fault)
            {
                throw fault.ForImage(image);
            }
        }
    }

    private async Task OnceAsync(string image, PullProgress progress, CancellationToken cancellationToken)
    {
        using var stalled = new CancellationTokenSource(Stalled, time);
        string? failure = null;
        // An engine that has begun to answer can't change the status any more: it tells of faults in its last message.
        var messages = new Messages(message =>
        {
            stalled.CancelAfter(Stalled);
            failure = message.Error?.Message ?? failure;
            progress.Add(message);
        });
        try
        {
            await engine.CallAsync(
                Timeout.InfiniteTimeSpan,
                async (docker, token) =>
                {
                    using var either = CancellationTokenSource.CreateLinkedTokenSource(token, stalled.Token);
                    await docker.Images.CreateImageAsync(Reference(image), null, messages, either.Token);
                    return true;
                },
                cancellationToken);
        }
        catch (DockerApiException fault)
        {
            throw PullException.From(fault);
        }
        catch (EngineUnreachableException fault)
        {
            var words = stalled.IsCancellationRequested ? $"timeout: nothing came for {Stalled.TotalMinutes:0} minutes" : fault.Message;
            throw new PullException(words, status: null, fault);
        }
        if (failure is not null) throw new PullException(failure, status: null);
    }

    /// <summary>Without a tag the engine would pull all of them.</summary>
    private static ImagesCreateParameters Reference(string image)
    {
        var name = image[(image.LastIndexOf('/') + 1)..];
        return new ImagesCreateParameters { FromImage = image, Tag = name.Contains(':') || name.Contains('@') ? null : "latest" };
    }

    private void Tell(Pull pull, int percent)
    {
        IProgress<int>[] listeners;
        lock (gate) listeners = [.. pull.Listeners];
        foreach (var listener in listeners) listener.Report(percent);
    }

    /// <summary>Heard in order and at once, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class Messages(Action<JSONMessage> heard) : IProgress<JSONMessage>
    {
        public void Report(JSONMessage value) => heard(value);
    }

    /// <summary>Changed under the lock.</summary>
    private sealed class Pull
    {
        public List<IProgress<int>> Listeners { get; } = [];
        public CancellationTokenSource Abandoned { get; } = new();
        public Task? Done { get; set; }
    }

    [LoggerMessage(30, LogLevel.Warning, "Pulling {Image} again: {Fault}")]
    private partial void LogAgain(string image, string fault);
}
