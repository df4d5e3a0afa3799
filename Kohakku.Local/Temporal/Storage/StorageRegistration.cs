using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>The storage as part of a host.</summary>
internal static class StorageRegistration
{
    /// <summary>Opened before any other hosted service starts, closed after all of them stopped; the host ends when it is superseded.</summary>
    public static IServiceCollection AddStorage(this IServiceCollection services, string connectionString)
    {
        services.AddSingleton(_ => DataSource(connectionString));
        services.AddSingleton<RunStore>();
        services.AddSingleton<NamespaceStore>();
        services.AddHostedService<StorageLifetime>();
        services.AddOptions<RetentionOptions>().ValidateDataAnnotations().ValidateOnStart();
        services.AddHostedService<Retention>();
        return services;
    }

    /// <summary>Its statements are few and asked again and again, so they are parsed once; and no borrower leaves anything in a session that would have to be reset.</summary>
    private static NpgsqlDataSource DataSource(string connectionString)
    {
        var settings = new NpgsqlDataSourceBuilder(connectionString);
        settings.ConnectionStringBuilder.MaxAutoPrepare = 50;
        settings.ConnectionStringBuilder.NoResetOnClose = true;
        return settings.Build();
    }
}

/// <summary>Opens the storage before the host's services start, closes it after they stopped, and stops the host when the storage is lost.</summary>
internal sealed class StorageLifetime(RunStore runs, NamespaceStore namespaces, IHostApplicationLifetime application) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await runs.OpenAsync(cancellationToken);
        await namespaces.LoadAsync(cancellationToken);
        // The store has logged why.
        _ = runs.Superseded.ContinueWith(_ => application.StopApplication(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => runs.DisposeAsync().AsTask();

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
