using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Kohakku.ServiceDefaults;

public static class RedisDefaults
{
    /// <summary>
    /// A singleton <see cref="IConnectionMultiplexer"/> from <c>REDIS_URL</c> or <c>ConnectionStrings__redis</c>, and the health check
    /// <c>redis</c> (for <c>/ready</c> only). With neither set nothing is registered: Redis is optional everywhere.
    /// </summary>
    public static WebApplicationBuilder AddRedis(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var settings = builder.Settings();
        if (Options(settings) is not { } options) return builder;
        // A Redis that is away now may come: connect in the background, again and again.
        options.AbortOnConnectFail = false;
        options.ConnectTimeout = 3000;
        options.ReconnectRetryPolicy = new ExponentialRetry(deltaBackOffMilliseconds: 200, maxDeltaBackOffMilliseconds: 5000);
        options.ClientName ??= builder.Environment.ApplicationName;
        builder.Services.AddSingleton<IConnectionMultiplexer>(_ =>
        {
            settings.ThrowIfAny();
            return ConnectionMultiplexer.Connect(options);
        });
        builder.Services.AddHealthChecks().AddCheck<RedisHealthCheck>("redis", timeout: HealthEndpoints.CheckTimeout);
        return builder;
    }

    internal static ConfigurationOptions? Options(SettingsReader settings)
    {
        var given = settings.Read(new Setting(
            "ConnectionStrings__redis", "`host:port,password=…`, or as `REDIS_URL`", null, "Redis, as Aspire names it; wins over `REDIS_URL`.") { IsSecret = true });
        var url = settings.Read(new Setting(
            "REDIS_URL", "`redis://[user:password@]host:port/db`, or `rediss://…` for TLS", null, "Redis. `/ready` checks it where it is set; nothing else uses it in this release.") { IsSecret = true });
        if (given is { } connectionString)
        {
            if (connectionString.Contains("://", StringComparison.Ordinal)) return OfUrl(settings, "ConnectionStrings__redis", connectionString);
            try
            {
                return ConfigurationOptions.Parse(connectionString);
            }
            catch (ArgumentException exception)
            {
                settings.Fault($"ConnectionStrings__redis can't be read ({exception.Message}); it takes host:port,password=….");
                return null;
            }
        }
        return url is null ? null : OfUrl(settings, "REDIS_URL", url);
    }

    private static ConfigurationOptions? OfUrl(SettingsReader settings, string key, string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("redis" or "rediss") || url.Host.Length == 0
            || !TryDatabase(url.AbsolutePath, out var database))
        {
            // The value may hold a password and is not shown.
            settings.Fault($"{key} can't be read; it takes redis://[user:password@]host:port/db, or rediss:// for TLS.");
            return null;
        }
        var options = new ConfigurationOptions { Ssl = url.Scheme == "rediss", DefaultDatabase = database };
        options.EndPoints.Add(url.Host, url.Port > 0 ? url.Port : 6379);
        var colon = url.UserInfo.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0) options.User = Uri.UnescapeDataString(url.UserInfo[..colon]);
        if (colon >= 0) options.Password = Uri.UnescapeDataString(url.UserInfo[(colon + 1)..]);
        return options;
    }

    private static bool TryDatabase(string path, out int? database)
    {
        database = null;
        if (path is "" or "/") return true;
        if (!int.TryParse(path.AsSpan(1), out var number) || number < 0) return false;
        database = number;
        return true;
    }
}
