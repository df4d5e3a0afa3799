using Kohakku.Dispatcher.Runtimes;
using Npgsql;

namespace Kohakku.Dispatcher.Data;

/// <summary>Opens the dispatcher's own database at start: lock, migrations, identity. Before that nothing else may use it.</summary>
internal sealed partial class DispatcherDatabase(
    NpgsqlDataSource database, InstanceLock instance, TimeProvider time, ILogger<DispatcherDatabase> logger) : IDispatcherIdentity
{
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(30);
    private Guid? instanceId;

    public Guid InstanceId => instanceId ?? throw new InvalidOperationException("The dispatcher's database is not open yet.");

    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await AcquireAsync(cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var (applied, version) = await Migrator.MigrateAsync(connection, cancellationToken);
        if (version > Migrator.Newest) LogNewer(version, Migrator.Newest);
        await using var command = new NpgsqlCommand("SELECT instance_id FROM identity", connection);
        instanceId = (Guid)(await command.ExecuteScalarAsync(cancellationToken))!;
        LogOpened(InstanceId, applied);
    }

    /// <summary>As <see cref="InstanceLock.KeepAsync"/>.</summary>
    public Task KeepAsync(CancellationToken cancellationToken) => instance.KeepAsync(LockPatience, cancellationToken);

    // A database that is still starting is waited for; one that refuses us is not.
    private async Task AcquireAsync(CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2));
        while (true)
        {
            try
            {
                await instance.AcquireAsync(LockPatience, cancellationToken);
                return;
            }
            catch (NpgsqlException fault) when (fault.IsTransient && time.GetElapsedTime(started) < ConnectPatience)
            {
                LogAway(fault.Message);
                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
        }
    }

    [LoggerMessage(210, LogLevel.Information, "Dispatcher instance {InstanceId}: database open, {Applied} migrations applied")]
    private partial void LogOpened(Guid instanceId, int applied);

    [LoggerMessage(212, LogLevel.Warning, "The dispatcher's database is of a newer release (version {Version}), which this one works with (it knows {Known}). Its schema is left as it is.")]
    private partial void LogNewer(int version, int known);

    [LoggerMessage(211, LogLevel.Warning, "The dispatcher's database can't be reached yet: {Fault}")]
    private partial void LogAway(string fault);
}
