using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Kohakku.ServiceDefaults;

public static class ObjectStorageDefaults
{
    /// <summary>
    /// A singleton <see cref="ObjectStorage"/> from <c>S3_…</c> and the health check <c>objectStorage</c> (for <c>/ready</c> only). The bucket
    /// is made once the process runs, if it is missing; a storage that is away does not stop the start.
    /// </summary>
    public static WebApplicationBuilder AddObjectStorage(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var settings = builder.Settings();
        var options = ObjectStorageOptions.Read(settings, builder.Environment.IsDevelopment());
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services =>
        {
            settings.ThrowIfAny();
            return new ObjectStorage(options, services.GetRequiredService<TimeProvider>());
        });
        builder.Services.AddHostedService<BucketCreation>();
        builder.Services.AddHealthChecks().AddCheck<ObjectStorageHealthCheck>("objectStorage", timeout: HealthEndpoints.CheckTimeout);
        return builder;
    }
}
