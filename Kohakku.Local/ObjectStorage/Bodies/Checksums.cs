using System.Buffers.Binary;
using System.IO.Hashing;
using System.Numerics;
using System.Security.Cryptography;

namespace Kohakku.Local.ObjectStorage.Bodies;

/// <summary>A checksum of S3's choice, over all that is appended.</summary>
internal abstract class Checksum : IDisposable
{
    public const string HeaderPrefix = "x-amz-checksum-";

    public static readonly IReadOnlyList<string> Names = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

    public static Checksum Create(string name) => name switch
    {
        "crc32" => new NonCryptographic(new Crc32()),
        "crc32c" => new Crc32C(),
        "crc64nvme" => new Crc64Nvme(),
        "sha1" => new Cryptographic(HashAlgorithmName.SHA1),
        "sha256" => new Cryptographic(HashAlgorithmName.SHA256),
        _ => throw S3Errors.InvalidRequest($"The checksum {name} is not one of {string.Join(", ", Names)}."),
    };

    public abstract void Append(ReadOnlySpan<byte> data);

    /// <summary>Big-endian, as S3 sends it (in base64).</summary>
    public abstract byte[] Finish();

    public virtual void Dispose() { }

    private sealed class Cryptographic(HashAlgorithmName name) : Checksum
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(name);
        public override void Append(ReadOnlySpan<byte> data) => _hash.AppendData(data);
        public override byte[] Finish() => _hash.GetHashAndReset();

        public override void Dispose()
        {
            base.Dispose();
            _hash.Dispose();
        }
    }

    private sealed class NonCryptographic(NonCryptographicHashAlgorithm hash) : Checksum
    {
        public override void Append(ReadOnlySpan<byte> data) => hash.Append(data);

        public override byte[] Finish()
        {
            // The library writes little-endian.
            var value = hash.GetHashAndReset();
            Array.Reverse(value);
            return value;
        }
    }

    private sealed class Crc32C : Checksum
    {
        private uint _crc = uint.MaxValue;

        public override void Append(ReadOnlySpan<byte> data)
        {
            for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..]) _crc = BitOperations.Crc32C(_crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
            foreach (var value in data) _crc = BitOperations.Crc32C(_crc, value);
        }

        public override byte[] Finish()
        {
            var value = new byte[sizeof(uint)];
            BinaryPrimitives.WriteUInt32BigEndian(value, ~_crc);
            return value;
        }
    }

    private sealed class Crc64Nvme : Checksum
    {
        private static readonly ulong[] Table = [.. Enumerable.Range(0, 256).Select(index =>
        {
            var crc = (ulong)index;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0x9A6C9329AC4BC9B5;
            return crc;
        })];

        private ulong _crc = ulong.MaxValue;

        public override void Append(ReadOnlySpan<byte> data)
        {
            foreach (var value in data) _crc = Table[(byte)(_crc ^ value)] ^ (_crc >> 8);
        }

        public override byte[] Finish()
        {
            var value = new byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64BigEndian(value, ~_crc);
            return value;
        }
    }
}
