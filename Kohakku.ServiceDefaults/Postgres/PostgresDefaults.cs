using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kohakku.ServiceDefaults;

/// <summary>Where the service's database is, with its password: for programs that open it themselves.</summary>
public sealed record DatabaseAddress(string ConnectionString);

public static class PostgresDefaults
{
    /// <summary>
    /// A singleton <see cref="NpgsqlDataSource"/> from <c>ConnectionStrings__{database}</c>, else <c>POSTGRES_…</c>, and the health check
    /// <c>database</c>. It connects on first use, so a database that is away does not stop the start.
    /// </summary>
    public static WebApplicationBuilder AddPostgres(this WebApplicationBuilder builder, string database)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var settings = builder.Settings();
        var connectionString = ConnectionString(settings, database, builder.Environment);
        builder.Services.AddSingleton(new DatabaseAddress(connectionString));
        builder.Services.AddSingleton(services =>
        {
            settings.ThrowIfAny();
            // Its name stands in metrics, where else the connection string would.
            return new NpgsqlDataSourceBuilder(connectionString) { Name = database }.UseLoggerFactory(services.GetService<ILoggerFactory>()).Build();
        });
        builder.Services.AddHealthChecks().AddCheck<PostgresHealthCheck>("database", tags: [HealthEndpoints.Live], timeout: HealthEndpoints.CheckTimeout);
        return builder;
    }

    private static string ConnectionString(SettingsReader settings, string database, IHostEnvironment environment)
    {
        var defaults = new NpgsqlConnectionStringBuilder
        {
            ApplicationName = environment.ApplicationName,
            // Postgres takes 100 by default, of which two services and their neighbours want their share.
            MaxPoolSize = 40,
            Timeout = 5,
            CommandTimeout = 30,
            // Finds out about a peer that vanished without a word.
            KeepAlive = 30,
            MaxAutoPrepare = 64,
            AutoPrepareMinUsages = 3,
            IncludeErrorDetail = environment.IsDevelopment(),
        };
        var key = $"ConnectionStrings__{database}";
        if (settings.Text(key) is { } given)
        {
            try
            {
                // What is given comes later, and so wins over the defaults.
                return new NpgsqlConnectionStringBuilder($"{defaults.ConnectionString};{given}").ConnectionString;
            }
            catch (ArgumentException exception)
            {
                // The value holds a password and is not shown.
                settings.Fault($"{key} can't be read ({exception.Message}); it takes Host=…;Port=…;Username=…;Password=…;Database=….");
                return defaults.ConnectionString;
            }
        }
        defaults.Host = settings.Text("POSTGRES_HOST", "postgres");
        defaults.Port = settings.Integer("POSTGRES_PORT", 5432, 1, 65535);
        defaults.Database = settings.Text("POSTGRES_DB", database);
        defaults.Username = settings.Text("POSTGRES_USER", "kohakku");
        defaults.Password = settings.Text("POSTGRES_PASSWORD");
        return defaults.ConnectionString;
    }
}
