using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Controller.Data;

internal static class DataFeature
{
    /// <summary>The model over the service's <see cref="NpgsqlDataSource"/>, and the feed of its changes.</summary>
    public static WebApplicationBuilder AddControllerData(this WebApplicationBuilder builder)
    {
        builder.Services.AddPooledDbContextFactory<ControllerDb>((services, options) => Configure(options, services.GetRequiredService<NpgsqlDataSource>()));
        builder.Services.AddScoped(services => services.GetRequiredService<IDbContextFactory<ControllerDb>>().CreateDbContext());
        builder.Services.AddSingleton<ChangeFeed>().AddHostedService(services => services.GetRequiredService<ChangeFeed>());
        builder.Services.AddSingleton<DatabaseSchema>();
        return builder;
    }

    internal static void Configure(DbContextOptionsBuilder options, NpgsqlDataSource database) =>
        options.UseNpgsql(database).UseSnakeCaseNamingConvention();
}
