using Kohakku.Controller.Data;

namespace Kohakku.Controller.Tasks;

internal static class ChangeWaits
{
    /// <summary>Until the task changes, or it is time to look anyway.</summary>
    public static async Task WaitAsync(this ChangeSubscription subscription, TimeSpan atMost, TimeProvider time, CancellationToken cancellationToken)
    {
        using var look = new CancellationTokenSource(atMost, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, look.Token);
        try
        {
            await subscription.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing was told; the caller looks for itself.
        }
    }
}
