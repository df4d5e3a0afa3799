using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Webhooks.Sending;

namespace Kohakku.Scheduler;

/// <summary>Sends deliveries when something happened, when an attempt has ended and left room, and looks each second besides: for what is due again.</summary>
internal sealed class SendWebhooks(WebhookSending sending, ChangeFeed feed, TimeProvider time, ILogger<SendWebhooks> logger) : DispatchingLoop("the sending of webhooks", time, logger)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    /// <summary>Where much happens each look finds several.</summary>
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);
    private readonly TimeProvider _time = time;
    private readonly ChangeSubscription _changes = feed.FollowAllTasks();

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await sending.EndAsync().WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public override void Dispose()
    {
        _changes.Dispose();
        base.Dispose();
    }

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken) =>
        await sending.BeginAsync(cancellationToken) > 0 ? TimeSpan.Zero : LongestPause;

    protected override async Task PauseAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        if (atMost == TimeSpan.Zero) return;
        await Task.Delay(Gathering, _time, cancellationToken);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (changed, room) = (_changes.WaitAsync(ended.Token).AsTask(), sending.Room.WaitAsync(atMost, _time, ended.Token));
        await Task.WhenAny(changed, room);
        await ended.CancelAsync();
        await changed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await room.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
