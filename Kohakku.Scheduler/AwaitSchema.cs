using Kohakku.Controller.Data;

namespace Kohakku.Scheduler;

/// <summary>Nothing here begins before controllers have brought the database to what this release knows; with one that is beyond it, the process ends.</summary>
internal sealed class AwaitSchema(DatabaseSchema schema) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => schema.WaitAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
