using System.Globalization;
using System.Text;
using Kohakku.Contracts.Signing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kohakku.ServiceDefaults;

public static partial class SigningDefaults
{
    private const string KeySetting = "CALLBACK_SIGNING_KEY";
    private const int MinKeyBytes = 32;

    // Known to everyone who reads this; AppHost hands out a random one.
    private static readonly byte[] DevelopmentKey = Encoding.UTF8.GetBytes("kohakku-development-signing-key-not-a-secret");

    /// <summary>
    /// The <see cref="SigningKeys"/> of <c>CALLBACK_SIGNING_KEY</c>, and what signs (<see cref="SigningHandler"/>, for
    /// <c>AddHttpMessageHandler</c>) and verifies (<see cref="SignedEndpoints.RequireSignature"/>) with them.
    /// </summary>
    public static WebApplicationBuilder AddSigning(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var settings = builder.Settings();
        var keys = Keys(settings, builder.Environment.IsDevelopment());
        builder.Services.AddSingleton(services =>
        {
            settings.ThrowIfAny();
            if (keys is null) LogDevelopmentKey(services.GetRequiredService<ILogger<SigningKeys>>());
            return new SigningKeys(keys ?? [DevelopmentKey]);
        });
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<SigningClock>();
        builder.Services.AddSingleton<SignatureCheck>();
        builder.Services.AddTransient(services => new SigningHandler(
            services.GetRequiredService<SigningKeys>(), services.GetRequiredService<SigningClock>(), services.GetRequiredService<ILogger<SigningHandler>>()));
        return builder;
    }

    /// <summary>The keys, or null for the development key.</summary>
    internal static IReadOnlyList<byte[]>? Keys(SettingsReader settings, bool isDevelopment)
    {
        var setting = new Setting(
            KeySetting, $"keys of at least {MinKeyBytes} bytes, separated by commas, the newest first", null,
            "What Kohakku's processes sign their calls to each other by: the first signs, all of them verify. A key is plain text, or `whsec_` and base64.") { IsSecret = true, Need = SettingNeed.OutsideDevelopment };
        if (settings.Read(setting) is not { } text)
        {
            if (!isDevelopment) settings.Fault($"{KeySetting} is not set; outside Development it takes one or more keys of at least {MinKeyBytes} bytes, separated by commas.");
            return null;
        }
        var keys = new List<byte[]>();
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        for (var i = 0; i < parts.Length; i++)
        {
            // Keys are secret: a fault tells which, never what.
            var which = $"{KeySetting}'s key {(i + 1).ToString(CultureInfo.InvariantCulture)} of {parts.Length.ToString(CultureInfo.InvariantCulture)}";
            try
            {
                var key = StandardWebhooks.KeyBytes(parts[i]);
                if (key.Length < MinKeyBytes) settings.Fault($"{which} has {key.Length} bytes; it takes at least {MinKeyBytes}.");
                else if (!isDevelopment && key.AsSpan().SequenceEqual(DevelopmentKey)) settings.Fault($"{which} is the development key; outside Development it takes a secret of your own.");
                else keys.Add(key);
            }
            catch (FormatException)
            {
                settings.Fault($"{which} starts with whsec_ but does not go on with base64; it takes whsec_ and base64, or plain text.");
            }
        }
        return keys;
    }

    [LoggerMessage(1100, LogLevel.Warning, "CALLBACK_SIGNING_KEY is not set: calls are signed with the development key that everyone knows.")]
    private static partial void LogDevelopmentKey(ILogger logger);
}
