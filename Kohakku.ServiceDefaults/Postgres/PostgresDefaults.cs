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
    private const string PasswordKey = "POSTGRES_PASSWORD";

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
        builder.Services.AddSingleton<PostgresHealthCheck>();
        builder.Services.AddHealthChecks().AddCheck<PostgresHealthCheck>("database", tags: [HealthEndpoints.Live], timeout: HealthEndpoints.CheckTimeout);
        return builder;
    }

    internal static string ConnectionString(SettingsReader settings, string database, IHostEnvironment environment)
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
        var given = settings.Read(new Setting(
            key, "`Host=…;Port=…;Database=…;Username=…;Password=…` and whatever else Npgsql takes", null,
            "The service's database; wins over `POSTGRES_…`. Pools hold at most 40 connections unless it says `Maximum Pool Size=…`. Outside Development it takes a password that is not known to everyone, a `Passfile`, an `SSL Certificate`, or the folder of a Unix socket as host.")
        { IsSecret = true });
        // In a cluster that has a service called postgres, POSTGRES_PORT may be there and be something else.
        var parts = given is null ? settings : settings.Unset();
        defaults.Host = parts.Text("POSTGRES_HOST", "postgres", "The database server.", "a host's name, or the folder of a Unix socket");
        defaults.Port = parts.Integer("POSTGRES_PORT", 5432, 1, 65535, "Its port.");
        defaults.Database = parts.Text("POSTGRES_DB", database, "The database there.");
        defaults.Username = parts.Text("POSTGRES_USER", "kohakku", "Who opens it.");
        defaults.Password = parts.Read(new Setting(
            PasswordKey, "text, outside Development none that everyone knows", null, $"The user's password; outside Development it is required, unless `{key}` is given or the host is the folder of a Unix socket.")
        { IsSecret = true });
        var connection = given is null ? defaults : Parse(settings, key, given, defaults);
        if (connection is null) return defaults.ConnectionString;
        if (!environment.IsDevelopment()) DatabasePassword.Check(settings, given is null ? PasswordKey : key, connection);
        return connection.ConnectionString;
    }

    /// <summary>What is given, over the defaults that are not about where the database is; null where it can't be read.</summary>
    private static NpgsqlConnectionStringBuilder? Parse(SettingsReader settings, string key, string given, NpgsqlConnectionStringBuilder defaults)
    {
        try
        {
            var connection = new NpgsqlConnectionStringBuilder(defaults.ConnectionString);
            foreach (var part in (ReadOnlySpan<string>)["Host", "Port", "Database", "Username", "Password"]) connection.Remove(part);
            // What is given comes later, and so wins over the defaults.
            return new NpgsqlConnectionStringBuilder($"{connection.ConnectionString};{given}");
        }
        catch (ArgumentException exception)
        {
            // The value holds a password and is not shown.
            settings.Fault($"{key} can't be read ({exception.Message}); it takes Host=…;Port=…;Username=…;Password=…;Database=….");
            return null;
        }
    }
}
