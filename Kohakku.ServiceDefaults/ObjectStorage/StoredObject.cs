namespace Kohakku.ServiceDefaults;

/// <summary>An object, or the asked part of it, on its way; dispose it to let the connection go.</summary>
public sealed class StoredObject : IAsyncDisposable
{
    private readonly IDisposable _response;

    internal StoredObject(IDisposable response) => _response = response;

    public required Stream Content { get; init; }
    /// <summary>Bytes in <see cref="Content"/>.</summary>
    public required long Length { get; init; }
    /// <summary>Bytes of the whole object.</summary>
    public required long TotalLength { get; init; }
    public required string ContentType { get; init; }
    public required string ETag { get; init; }

    public async ValueTask DisposeAsync()
    {
        await Content.DisposeAsync();
        _response.Dispose();
    }
}

/// <param name="Size">Bytes.</param>
public sealed record StoredObjectInfo(string Key, long Size, DateTimeOffset LastModified);
