using System.Threading.Channels;

namespace Kohakku.Controller.Data;

/// <summary>
/// One waiter's ear on the <see cref="ChangeFeed"/>. Signals that come while nobody waits are kept as one. Begin to follow, then read, then wait:
/// so nothing falls between. One waiter at a time.
/// </summary>
internal sealed class ChangeSubscription(Action<ChangeSubscription> unfollow) : IDisposable
{
    private readonly Channel<bool> signals = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>Waits for the next signal, or takes the one that came meanwhile.</summary>
    public async ValueTask WaitAsync(CancellationToken cancellationToken) => await signals.Reader.ReadAsync(cancellationToken);

    public void Dispose() => unfollow(this);

    internal void Signal() => signals.Writer.TryWrite(true);
}
