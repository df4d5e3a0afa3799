using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using Kohakku.Local.ObjectStorage.Authentication;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Local.ObjectStorage.Bodies;

/// <summary>What a body was found to be.</summary>
/// <param name="Checksums">Those the client sent, verified; by name, in base64.</param>
internal sealed record ReceivedBody(long Size, byte[] Md5, IReadOnlyDictionary<string, string> Checksums);

/// <summary>Takes a body in, in bounded memory, and checks it against everything the client said of it.</summary>
internal static class BodyIntake
{
    /// <summary>S3's own limit for one PUT.</summary>
    private const long MaxBodySize = 5L * 1024 * 1024 * 1024;
    private const int BufferSize = 256 * 1024;
    private const string Streaming = "STREAMING-";

    /// <summary>Copies the content to <paramref name="destination"/>.</summary>
    /// <exception cref="S3Exception">It is not what the client said; what was written is worthless.</exception>
    public static async Task<ReceivedBody> ReceiveAsync(S3Request request, VerifiedSignature signature, Stream destination, CancellationToken cancellationToken)
    {
        var expected = ExpectedSize(request, signature);
        if (expected > MaxBodySize) throw S3Errors.EntityTooLarge();
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        using var sha256 = signature.PayloadHash.Length == 64 ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        using var chunked = OpenChunked(request, signature);
        var checksums = AnnouncedChecksums(request).ToDictionary(name => name, Checksum.Create);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        long size = 0;
        try
        {
            while (true)
            {
                var length = chunked is null
                    ? await request.Context.Request.Body.ReadAsync(buffer, cancellationToken)
                    : await chunked.ReadAsync(buffer, cancellationToken);
                if (length == 0) break;
                size += length;
                if (size > MaxBodySize) throw S3Errors.EntityTooLarge();
                if (size > expected) throw S3Errors.IncompleteBody();
                md5.AppendData(buffer, 0, length);
                sha256?.AppendData(buffer, 0, length);
                foreach (var checksum in checksums.Values) checksum.Append(buffer.AsSpan(0, length));
                await destination.WriteAsync(buffer.AsMemory(0, length), cancellationToken);
            }
        }
        catch (BadHttpRequestException)
        {
            throw S3Errors.IncompleteBody();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (size < expected) throw S3Errors.IncompleteBody();
        if (sha256 is not null && !VerifiedSignature.Same(Convert.ToHexStringLower(sha256.GetHashAndReset()), signature.PayloadHash)) throw S3Errors.ContentSha256Mismatch();
        var digest = md5.GetHashAndReset();
        VerifyMd5(request, digest);
        return new ReceivedBody(size, digest, VerifyChecksums(request, chunked, checksums));
    }

    private static long? ExpectedSize(S3Request request, VerifiedSignature signature)
    {
        if (!signature.PayloadHash.StartsWith(Streaming, StringComparison.Ordinal)) return request.Context.Request.ContentLength;
        return long.TryParse(request.Header("x-amz-decoded-content-length"), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : throw S3Errors.InvalidRequest("A chunked body needs x-amz-decoded-content-length.");
    }

    private static AwsChunkedStream? OpenChunked(S3Request request, VerifiedSignature signature)
    {
        var body = request.Context.Request.BodyReader;
        return signature.PayloadHash switch
        {
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => new AwsChunkedStream(body, signature, hasTrailer: false),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => new AwsChunkedStream(body, signature, hasTrailer: true),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => new AwsChunkedStream(body, null, hasTrailer: true),
            SignatureVerifier.UnsignedPayload => null,
            { Length: 64 } => null,
            _ => throw S3Errors.NotImplemented($"the payload {signature.PayloadHash}"),
        };
    }

    /// <summary>Checksums whose value stands in a header, or will stand in the trailer.</summary>
    private static IEnumerable<string> AnnouncedChecksums(S3Request request)
    {
        var trailers = (request.Header("x-amz-trailer") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return Checksum.Names.Where(name => request.Header(Checksum.HeaderPrefix + name) is not null
            || trailers.Contains(Checksum.HeaderPrefix + name, StringComparer.OrdinalIgnoreCase));
    }

    private static void VerifyMd5(S3Request request, byte[] digest)
    {
        if (request.Header("Content-MD5") is not { } text) return;
        var given = new byte[MD5.HashSizeInBytes];
        if (!Convert.TryFromBase64String(text, given, out var length) || length != given.Length) throw S3Errors.InvalidDigest();
        if (!given.AsSpan().SequenceEqual(digest)) throw S3Errors.BadDigest("Content-MD5");
    }

    private static Dictionary<string, string> VerifyChecksums(S3Request request, AwsChunkedStream? chunked, Dictionary<string, Checksum> checksums)
    {
        var verified = new Dictionary<string, string>();
        foreach (var (name, checksum) in checksums)
        {
            var header = Checksum.HeaderPrefix + name;
            var given = request.Header(header) ?? chunked?.Trailers.GetValueOrDefault(header)
                ?? throw S3Errors.InvalidRequest($"The trailer {header} that was announced did not come.");
            using (checksum) verified[name] = Convert.ToBase64String(checksum.Finish());
            if (verified[name] != given) throw S3Errors.BadDigest(name.ToUpperInvariant());
        }
        return verified;
    }
}
