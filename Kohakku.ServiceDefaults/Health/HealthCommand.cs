using Microsoft.AspNetCore.Http;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// The argument <c>health</c> of every service: asks the one that listens beside it (in the same container, whose image has no shell and no curl) for
/// <c>/health</c>, or the path that follows, and answers 0 when it is healthy, else 1 with a line that says why.
/// </summary>
internal static class HealthCommand
{
    public const string Verb = "health";
    private const int DefaultPort = 5000;

    /// <summary>How long it waits for an answer.</summary>
    internal static readonly TimeSpan Patience = HealthEndpoints.CheckTimeout + TimeSpan.FromSeconds(5);

    public static bool IsMeant(string[] arguments) => arguments is [Verb] or [Verb, ['/', ..]];

    public static Task<int> RunAsync(string serviceName, string[] arguments) => RunAsync(serviceName, arguments, Environment.GetEnvironmentVariable);

    internal static async Task<int> RunAsync(string serviceName, string[] arguments, Func<string, string?> setting)
    {
        var path = arguments is [_, var given] ? given : "/health";
        if (AddressOf(setting) is not { } address)
        {
            await Console.Error.WriteLineAsync($"{serviceName}: ASPNETCORE_URLS names no http:// address to ask for {path}.");
            return 1;
        }
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
        try
        {
            using var answer = await client.GetAsync(new Uri(address, path));
            if (answer.IsSuccessStatusCode) return 0;
            await Console.Error.WriteLineAsync($"{serviceName}: {path} answers {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"{serviceName}: {address} does not answer: {fault.Message}");
        }
        return 1;
    }

    /// <summary>Where the service listens by its settings, as it is reached from beside it; null when that is not by plain HTTP.</summary>
    internal static Uri? AddressOf(Func<string, string?> setting)
    {
        if (setting("ASPNETCORE_URLS") is { Length: > 0 } urls)
        {
            return urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Where(url => url.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
                .Select(BindingAddress.Parse)
                .Where(address => !address.IsUnixPipe)
                .Select(address => new Uri($"http://{(IsAny(address.Host) ? "127.0.0.1" : address.Host)}:{address.Port}"))
                .FirstOrDefault();
        }
        var ports = setting("ASPNETCORE_HTTP_PORTS")?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        return new Uri($"http://127.0.0.1:{(ports is [var first, ..] ? first : DefaultPort)}");
    }

    private static bool IsAny(string host) => host is "+" or "*" or "0.0.0.0" or "[::]";
}
