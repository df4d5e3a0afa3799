using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>
/// UUIDv7 that grow from one to the next within this process (RFC 9562, 6.2, method 1), so that tasks of one batch are queued and
/// listed in their order. May be called at once.
/// </summary>
internal sealed class TaskIds(TimeProvider time)
{
    private const int MaxCounter = 0xFFF;
    private readonly Lock _gate = new();
    private long _milliseconds;
    private int _counter;

    public Guid Next()
    {
        long milliseconds;
        int counter;
        lock (_gate)
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            if (now > _milliseconds) (_milliseconds, _counter) = (now, 0);
            // A full counter borrows from the next millisecond.
            else if (++_counter > MaxCounter) (_milliseconds, _counter) = (_milliseconds + 1, 0);
            (milliseconds, counter) = (_milliseconds, _counter);
        }

        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes[8..]);
        BinaryPrimitives.WriteInt64BigEndian(bytes, (milliseconds << 16) | 0x7000L | (long)counter);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
