using System.Collections.Concurrent;
using Temporalio.Activities;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>The activities of the tests, with what a test needs to see what they do and to hold them. Each test has its own.</summary>
public sealed class TestActivities
{
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _met = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What was begun, as activity and attempt.</summary>
    public ConcurrentQueue<(string Activity, int Attempt)> Begun { get; } = new();

    /// <summary>What became of those that were held.</summary>
    public ConcurrentQueue<string> Outcomes { get; } = new();

    /// <summary>The tokens of those that are completed from outside.</summary>
    public ConcurrentQueue<byte[]> Tokens { get; } = new();

    /// <summary>Who is to be met.</summary>
    public TestActivities? Other { get; set; }

    /// <summary>Lets go all that is held, now and from now on.</summary>
    public void Release() => _released.TrySetResult();

    [Activity]
    public string Echo(string text)
    {
        Begin();
        return text;
    }

    /// <summary>Fails before the attempt given.</summary>
    [Activity]
    public string Flaky(string succeedsAt)
    {
        var attempt = Begin();
        return attempt >= int.Parse(succeedsAt, System.Globalization.CultureInfo.InvariantCulture)
            ? $"attempt {attempt}"
            : throw new ApplicationFailureException($"attempt {attempt} failed", errorType: "Flaky", details: [attempt]);
    }

    [Activity]
    public string Fatal(string message)
    {
        Begin();
        throw new ApplicationFailureException(message, errorType: "Fatal", nonRetryable: true, details: [message.Length]);
    }

    /// <summary>Waits until it is released or cancelled.</summary>
    [Activity]
    public async Task<string> Hold(string text)
    {
        Begin();
        await _released.Task.WaitAsync(ActivityExecutionContext.Current.CancellationToken);
        return text;
    }

    /// <summary>Tells that it is alive until it is released or hears that it was cancelled.</summary>
    [Activity]
    public async Task<string> Beat(string text)
    {
        Begin();
        var context = ActivityExecutionContext.Current;
        try
        {
            while (!_released.Task.IsCompleted)
            {
                context.Heartbeat(text);
                await Task.WhenAny(_released.Task, Task.Delay(50, context.CancellationToken));
                context.CancellationToken.ThrowIfCancellationRequested();
            }
            Outcomes.Enqueue("completed");
            return text;
        }
        catch (OperationCanceledException)
        {
            Outcomes.Enqueue($"cancelled: {context.CancelReason}");
            throw;
        }
    }

    /// <summary>Says a word and is silent from then on; a later attempt answers what the earlier one said.</summary>
    [Activity]
    public async Task<string> FallSilent(string word)
    {
        var context = ActivityExecutionContext.Current;
        if (Begin() > 1) return await context.Info.HeartbeatDetailAtAsync<string>(0);
        context.Heartbeat(word);
        await _released.Task.WaitAsync(context.CancellationToken);
        return "not silent";
    }

    [Activity]
    public string Later(string text)
    {
        Begin();
        Tokens.Enqueue(ActivityExecutionContext.Current.Info.TaskToken);
        throw new CompleteAsyncException();
    }

    /// <summary>Ends when another worker's activity is there at the same time.</summary>
    [Activity]
    public async Task<string> Meet(string text)
    {
        Begin();
        Other!._met.TrySetResult();
        await _met.Task.WaitAsync(ActivityExecutionContext.Current.CancellationToken);
        return text;
    }

    private int Begin()
    {
        var info = ActivityExecutionContext.Current.Info;
        Begun.Enqueue((info.ActivityType, info.Attempt));
        return info.Attempt;
    }
}
