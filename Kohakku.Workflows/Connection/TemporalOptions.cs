using Kohakku.ServiceDefaults;
using Temporalio.Client;

namespace Kohakku.Workflows.Connection;

/// <summary>Where Temporal is: <c>TEMPORAL_ADDRESS</c>, <c>TEMPORAL_NAMESPACE</c>, <c>TEMPORAL_TASK_QUEUE</c> and how it is reached.</summary>
public sealed record TemporalOptions(string Address, string Namespace, string TaskQueue)
{
    public TlsOptions? Tls { get; init; }
    public string? ApiKey { get; init; }

    /// <summary>Faults are noted in <paramref name="settings"/>, to be reported with all others.</summary>
    public static TemporalOptions Read(SettingsReader settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var address = settings.Text("TEMPORAL_ADDRESS", "localhost:7233", "Temporal's frontend, where runs of workflows are; services start without it, and wait.", "`host:port`");
        if (address.Contains("://", StringComparison.Ordinal) || !Uri.TryCreate($"tcp://{address}", UriKind.Absolute, out var uri) || uri.Port < 1)
            settings.Fault($"TEMPORAL_ADDRESS is '{address}'; it takes host:port.");
        var (certificate, key) = (File(settings, "TEMPORAL_TLS_CERT", "The client's certificate; it turns TLS on."), File(settings, "TEMPORAL_TLS_KEY", "The certificate's key."));
        if (certificate is null != key is null) settings.Fault("TEMPORAL_TLS_CERT and TEMPORAL_TLS_KEY are given together or not at all.");
        var apiKey = settings.Read(new Setting("TEMPORAL_API_KEY", "text", null, "An API key of Temporal Cloud; it turns TLS on.") { IsSecret = true });
        var tls = settings.Flag("TEMPORAL_TLS", false, "Whether Temporal is reached by TLS.") || certificate is not null || apiKey is not null;
        return new TemporalOptions(
            address, settings.Text("TEMPORAL_NAMESPACE", "default", "The namespace there."),
            settings.Text("TEMPORAL_TASK_QUEUE", "kohakku", "The task queue that runs go by; the same on all services."))
        {
            Tls = tls ? new TlsOptions { ClientCert = certificate, ClientPrivateKey = key } : null,
            ApiKey = apiKey,
        };
    }

    public TemporalClientConnectOptions ToConnectOptions() => new(Address) { Namespace = Namespace, Tls = Tls, ApiKey = ApiKey };

    private static byte[]? File(SettingsReader settings, string key, string meaning)
    {
        if (settings.Read(new Setting(key, "a PEM file", null, meaning)) is not { } path) return null;
        try
        {
            return System.IO.File.ReadAllBytes(path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            settings.Fault($"{key} is '{path}', which can't be read: {fault.Message}");
            return null;
        }
    }
}
