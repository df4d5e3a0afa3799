using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kohakku.Local.Temporal.Visibility;

/// <summary>The visibility as part of a host.</summary>
internal static class VisibilityRegistration
{
    /// <summary>After the storage, whose schema it needs: hosted services start in the order they were added.</summary>
    public static IServiceCollection AddVisibility(this IServiceCollection services) => services
        .AddSingleton<SearchAttributeRegistry>()
        .AddSingleton<VisibilityStore>()
        .AddHostedService<SearchAttributeLoading>();
}

/// <summary>Reads the search attributes before the host's services start.</summary>
internal sealed class SearchAttributeLoading(SearchAttributeRegistry registry) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => registry.LoadAsync(cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
