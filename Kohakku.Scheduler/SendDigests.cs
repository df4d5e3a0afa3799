using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Failures.Digest;

namespace Kohakku.Scheduler;

/// <summary>Makes the digests of the day when their time has come, and sends those that go out by e-mail.</summary>
internal sealed class SendDigests(Digests digests, DigestEmails emails, TimeProvider time, ILogger<SendDigests> logger) : DispatchingLoop("the digests", time, logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    protected override async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        await digests.RunOnceAsync(cancellationToken);
        return await emails.RunOnceAsync(cancellationToken) ? TimeSpan.Zero : Pause;
    }
}
