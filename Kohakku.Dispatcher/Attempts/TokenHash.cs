using System.Security.Cryptography;
using System.Text;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>SHA-256 of an agent's token: what is kept and looked up in its place, so that no comparison tells anything about a token.</summary>
internal readonly record struct TokenHash(UInt128 Low, UInt128 High)
{
    public static TokenHash Of(string token)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(token), hash);
        return OfBytes(hash);
    }

    public static TokenHash OfBytes(ReadOnlySpan<byte> hash) => new(
        System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash), System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(hash[16..]));

    public byte[] ToBytes()
    {
        var bytes = new byte[32];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, Low);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes.AsSpan(16), High);
        return bytes;
    }
}
