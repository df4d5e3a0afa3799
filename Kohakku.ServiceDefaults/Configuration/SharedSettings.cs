using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kohakku.ServiceDefaults;

public static class SharedSettings
{
    /// <summary>
    /// The one reader of a process that is being built. Whatever reads its settings through it is reported together with
    /// all the others, by <see cref="ServiceDefaultsExtensions.UseServiceDefaults"/>.
    /// </summary>
    public static SettingsReader Settings(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Properties.TryGetValue(typeof(SettingsReader), out var known)) return (SettingsReader)known;
        var settings = new SettingsReader(builder.Configuration);
        builder.Properties[typeof(SettingsReader)] = settings;
        builder.Services.AddSingleton(settings);
        return settings;
    }
}
