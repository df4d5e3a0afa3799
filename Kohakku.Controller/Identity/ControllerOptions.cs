using System.Text;
using Kohakku.ServiceDefaults;
using Microsoft.Extensions.Primitives;

namespace Kohakku.Controller.Identity;

/// <summary>What the controller is told about itself; the keys stand beside the properties.</summary>
internal sealed class ControllerOptions
{
    internal const int MinSecretBytes = 32;
    internal const int MinApiTokenLength = 16;

    // Known to everyone who reads this; AppHost hands out a random one.
    private static readonly byte[] DevelopmentSecret = Encoding.UTF8.GetBytes("kohakku-development-secret-key-not-a-secret");

    /// <summary><c>CONTROLLER_URL</c>: the own public address, without a slash at its end.</summary>
    public required string Url { get; init; }

    /// <summary><c>KOHAKKU_SECRET_KEY</c>: what sessions are encrypted with and attempts' tokens are made from.</summary>
    public required byte[] SecretKey { get; init; }

    /// <summary>No <c>KOHAKKU_SECRET_KEY</c> was given, so it is the development key that everyone knows.</summary>
    public bool HasDevelopmentSecret { get; init; }

    /// <summary><c>ALLOWED_HOSTS</c>, and the host of <see cref="Url"/>; <c>*</c> is any.</summary>
    public required IList<StringSegment> AllowedHosts { get; init; }

    /// <summary><c>AGENT_IMAGE_REGISTRY</c>: prefix of images that are named without a registry.</summary>
    public required string AgentImageRegistry { get; init; }

    /// <summary><c>KOHAKKU_API_TOKEN</c>: a first admin token, for unattended installs.</summary>
    public string? ApiToken { get; init; }

    /// <summary><c>KOHAKKU_DATA</c>: where <c>api-token</c> is kept; null where nothing local is.</summary>
    public string? DataFolder { get; init; }

    public static ControllerOptions Read(SettingsReader settings, bool isDevelopment)
    {
        settings.OneOf("QUEUE_SOURCE", "internal", new Dictionary<string, string> { ["internal"] = "internal" }, "Where queued tasks wait: in Postgres. There is no other queue in this release.");
        var url = settings.Url("CONTROLLER_URL", "http://localhost:8000", "The controllers' public address, which links begin with.");
        var secret = ReadSecret(settings, isDevelopment);
        return new ControllerOptions
        {
            Url = url.ToString().TrimEnd('/'),
            SecretKey = secret ?? DevelopmentSecret,
            HasDevelopmentSecret = secret is null,
            AllowedHosts = ReadHosts(settings, url),
            AgentImageRegistry = settings.Text("AGENT_IMAGE_REGISTRY", "localhost:5000/kohakku-agents", "Put before images of agents that are named without a slash.", "a registry and path").TrimEnd('/'),
            ApiToken = ReadApiToken(settings),
            DataFolder = settings.Read(new Setting("KOHAKKU_DATA", "a folder", null, "Where a start puts the file `api-token`, with a token of an administrator, if there is none that works; unset, it makes none.")),
        };
    }

    // Faults tell a secret's length, never the secret.
    private static byte[]? ReadSecret(SettingsReader settings, bool isDevelopment)
    {
        const string Key = "KOHAKKU_SECRET_KEY";
        var setting = new Setting(
            Key, $"at least {MinSecretBytes} bytes", null,
            "What sessions, tokens of attempts, and secrets at rest are made and sealed with; the same on controllers and schedulers. Keep a copy: with another, secrets of triggers and webhooks must be given anew.")
        { IsSecret = true, Need = SettingNeed.OutsideDevelopment };
        if (settings.Read(setting) is not { } text)
        {
            if (!isDevelopment) settings.Fault($"{Key} is not set; outside Development it takes a secret of at least {MinSecretBytes} bytes.");
            return null;
        }
        var secret = Encoding.UTF8.GetBytes(text);
        if (secret.Length < MinSecretBytes) settings.Fault($"{Key} has {secret.Length} bytes; it takes at least {MinSecretBytes}.");
        if (!isDevelopment && secret.AsSpan().SequenceEqual(DevelopmentSecret))
            settings.Fault($"{Key} is the development key; outside Development it takes a secret of your own.");
        return secret;
    }

    private static List<StringSegment> ReadHosts(SettingsReader settings, Uri url)
    {
        const string Key = "ALLOWED_HOSTS";
        var hosts = new List<StringSegment> { url.Host };
        var text = settings.Text(
            Key, "localhost,127.0.0.1", "The hosts that requests may name, besides that of `CONTROLLER_URL`; `*` is any.", "host names separated by commas, like `kohakku.example.com,*.example.com`");
        foreach (var host in text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (host.Contains('/', StringComparison.Ordinal) || (host != "*" && host.TrimStart('*', '.').Length == 0))
                settings.Fault($"{Key} has '{host}'; it takes host names separated by commas, like kohakku.example.com,*.example.com.");
            hosts.Add(host);
        }
        return hosts;
    }

    private static string? ReadApiToken(SettingsReader settings)
    {
        const string Key = "KOHAKKU_API_TOKEN";
        var token = settings.Read(new Setting(
            Key, $"at least {MinApiTokenLength} printable ASCII characters without spaces", null, "A first token of an administrator, for installs that nobody attends.") { IsSecret = true });
        if (token is not null && (token.Length < MinApiTokenLength || !token.All(c => c is > ' ' and <= '~')))
            settings.Fault($"{Key} has {token.Length} characters; it takes at least {MinApiTokenLength} of printable ASCII without spaces.");
        return token;
    }
}
