using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using Kohakku.Local.ObjectStorage.Authentication;

namespace Kohakku.Local.ObjectStorage.Bodies;

/// <summary>
/// Takes the framing off a body of <c>Content-Encoding: aws-chunked</c> and verifies each chunk's signature where they are signed.<code>
/// 10000;chunk-signature=ad80c730…
/// (65536 bytes)
/// 0;chunk-signature=b6c6ea8a…
/// x-amz-checksum-crc32c:sOO8/Q==
/// x-amz-trailer-signature:d81f82fc…
///
/// </code>Bytes are given out before their chunk's signature is known: they count only once the end was reached.
/// </summary>
internal sealed class AwsChunkedStream(PipeReader body, VerifiedSignature? signature, bool hasTrailer) : IDisposable
{
    private const int MaxLineBytes = 16 * 1024;
    private const string EmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private readonly IncrementalHash _chunkHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Dictionary<string, string> _trailers = new(StringComparer.OrdinalIgnoreCase);
    private string _previous = signature?.Signature ?? "";
    private string? _chunkSignature;
    private long _left;
    private bool _started;
    private bool _ended;

    /// <summary>Known once <see cref="ReadAsync"/> answered 0.</summary>
    public IReadOnlyDictionary<string, string> Trailers => _trailers;

    /// <summary>The next bytes of the content; 0 at its end.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> into, CancellationToken cancellationToken)
    {
        if (_left == 0 && !_ended) await NextChunkAsync(cancellationToken);
        if (_ended) return 0;
        var read = await body.ReadAsync(cancellationToken);
        var length = (int)Math.Min(Math.Min(read.Buffer.Length, _left), into.Length);
        var taken = read.Buffer.Slice(0, length);
        taken.CopyTo(into.Span);
        body.AdvanceTo(taken.End);
        if (length == 0) throw S3Errors.IncompleteBody();
        if (signature is not null) _chunkHash.AppendData(into.Span[..length]);
        _left -= length;
        return length;
    }

    public void Dispose() => _chunkHash.Dispose();

    private async ValueTask NextChunkAsync(CancellationToken cancellationToken)
    {
        if (_started)
        {
            VerifyChunk();
            if ((await ReadLineAsync(cancellationToken)).Length != 0) throw S3Errors.IncompleteBody();
        }
        _started = true;
        // 10000;chunk-signature=…
        var head = (await ReadLineAsync(cancellationToken)).Split(';', 2);
        if (!long.TryParse(head[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _left) || _left < 0) throw S3Errors.IncompleteBody();
        _chunkSignature = head.Length == 2 && head[1].StartsWith("chunk-signature=", StringComparison.Ordinal) ? head[1]["chunk-signature=".Length..] : null;
        if (_left > 0) return;
        VerifyChunk();
        _ended = true;
        await ReadTrailersAsync(cancellationToken);
    }

    private void VerifyChunk()
    {
        if (signature is null) return;
        var expected = signature.SignNext("AWS4-HMAC-SHA256-PAYLOAD", _previous, EmptyHash, Convert.ToHexStringLower(_chunkHash.GetHashAndReset()));
        if (_chunkSignature is null || !VerifiedSignature.Same(expected, _chunkSignature)) throw S3Errors.SignatureDoesNotMatch();
        _previous = expected;
    }

    private async ValueTask ReadTrailersAsync(CancellationToken cancellationToken)
    {
        var signed = new StringBuilder();
        string? trailerSignature = null;
        // Some clients end at the last byte, without the empty line.
        while (await ReadLineAsync(cancellationToken, orEnd: true) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0) throw S3Errors.IncompleteBody();
            var name = line[..colon].Trim().ToLowerInvariant();
            var value = line[(colon + 1)..].Trim();
            if (name == "x-amz-trailer-signature")
            {
                trailerSignature = value;
                continue;
            }
            _trailers[name] = value;
            signed.Append(name).Append(':').Append(value).Append('\n');
            if (_trailers.Count > 16) throw S3Errors.IncompleteBody();
        }
        // What follows the end is left to the server.
        if (signature is null || !hasTrailer) return;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(signed.ToString())));
        if (trailerSignature is null || !VerifiedSignature.Same(signature.SignNext("AWS4-HMAC-SHA256-TRAILER", _previous, hash), trailerSignature))
            throw S3Errors.SignatureDoesNotMatch();
    }

    private async ValueTask<string> ReadLineAsync(CancellationToken cancellationToken, bool orEnd = false)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            if (read.Buffer.PositionOf((byte)'\n') is { } end)
            {
                var line = Encoding.UTF8.GetString(read.Buffer.Slice(0, end));
                body.AdvanceTo(read.Buffer.GetPosition(1, end));
                return line.TrimEnd('\r');
            }
            var length = read.Buffer.Length;
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            if (read.IsCompleted && orEnd && length == 0) return "";
            if (read.IsCompleted || length > MaxLineBytes) throw S3Errors.IncompleteBody();
        }
    }
}
