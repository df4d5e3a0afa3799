using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;

namespace Kohakku.Local.ObjectStorage.Storage;

/// <summary>What is known of an object beside its bytes.</summary>
/// <param name="ETag">Without quotes.</param>
/// <param name="Headers">What GET and HEAD answer: content type, user metadata, … by lower-case name.</param>
/// <param name="Checksums">What the client sent at upload, by name, in base64.</param>
/// <param name="UploadId">The multipart upload it came from, so that completing it again can be told from a mistake.</param>
internal sealed record ObjectMetadata(
    long Size, string ETag, DateTimeOffset LastModified, IReadOnlyDictionary<string, string> Headers, IReadOnlyDictionary<string, string> Checksums, string? UploadId);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ObjectMetadata))]
[JsonSerializable(typeof(UploadMetadata))]
internal sealed partial class StorageJson : JsonSerializerContext;

/// <summary>
/// An object's file: its bytes, then its metadata as JSON, then the length of that (4 bytes, little-endian) and 8 bytes that
/// say that all is there. One file, so that one rename replaces both at once.
/// </summary>
internal static class ObjectFile
{
    private const int FooterLength = 12;
    private const int MaxMetadataLength = 256 * 1024;
    private static ReadOnlySpan<byte> Magic => "kohakku1"u8;

    /// <summary>Writes what follows the bytes, and waits until all is on the disk.</summary>
    public static async Task FinishAsync(FileStream file, ObjectMetadata metadata, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(metadata, StorageJson.Default.ObjectMetadata);
        var footer = new byte[FooterLength];
        BinaryPrimitives.WriteInt32LittleEndian(footer, json.Length);
        Magic.CopyTo(footer.AsSpan(sizeof(int)));
        await file.WriteAsync(json, cancellationToken);
        await file.WriteAsync(footer, cancellationToken);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Opens an object; its bytes stay readable though it is replaced or deleted meanwhile. Null where there is none.</summary>
    public static OpenObject? Open(string path)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        try
        {
            return new OpenObject(handle, ReadMetadata(handle, path));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static ObjectMetadata ReadMetadata(SafeFileHandle handle, string path)
    {
        var length = RandomAccess.GetLength(handle);
        Span<byte> footer = stackalloc byte[FooterLength];
        if (length >= FooterLength && RandomAccess.Read(handle, footer, length - FooterLength) == FooterLength && footer[sizeof(int)..].SequenceEqual(Magic))
        {
            var jsonLength = BinaryPrimitives.ReadInt32LittleEndian(footer);
            if (jsonLength is > 0 and <= MaxMetadataLength && jsonLength <= length - FooterLength)
            {
                var json = new byte[jsonLength];
                var size = length - FooterLength - jsonLength;
                if (RandomAccess.Read(handle, json, size) == jsonLength
                    && JsonSerializer.Deserialize(json, StorageJson.Default.ObjectMetadata) is { } metadata && metadata.Size == size)
                    return metadata;
            }
        }
        throw new InvalidDataException($"{path} is not an object of this server, or is damaged.");
    }
}

/// <summary>An object that can be read.</summary>
internal sealed class OpenObject(SafeFileHandle handle, ObjectMetadata metadata) : IDisposable
{
    public ObjectMetadata Metadata => metadata;

    public ValueTask<int> ReadAsync(Memory<byte> into, long offset, CancellationToken cancellationToken) =>
        RandomAccess.ReadAsync(handle, into, offset, cancellationToken);

    public void Dispose() => handle.Dispose();
}
