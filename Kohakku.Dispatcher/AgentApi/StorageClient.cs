namespace Kohakku.Dispatcher.AgentApi;

/// <summary>Fetches what an order names by a presigned address.</summary>
internal sealed class StorageClient(HttpClient http)
{
    /// <exception cref="HttpRequestException">The storage is away, or the address is too old.</exception>
    public async Task<string> ReadTextAsync(Uri address, CancellationToken cancellationToken) => await http.GetStringAsync(address, cancellationToken);

    /// <exception cref="HttpRequestException">The storage is away, or the address is too old.</exception>
    public async Task CopyToAsync(Uri address, Stream target, CancellationToken cancellationToken)
    {
        using var answer = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        answer.EnsureSuccessStatusCode();
        await answer.Content.CopyToAsync(target, cancellationToken);
    }
}
