using System.IO.Hashing;
using System.Runtime.InteropServices;
using Kohakku.Contracts.Signing;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// Remembers the ids of genuine calls for as long as their timestamps are taken, so that the same call counts once in this
/// process. Ids are kept as 128-bit hashes in two generations, each as long as the whole window. Safe for any thread.
/// </summary>
internal sealed class ReplayMemory(TimeProvider time)
{
    // A timestamp may lie one tolerance ahead of this clock, and is good for one tolerance after.
    private static readonly TimeSpan Window = 2 * StandardWebhooks.Tolerance;

    private readonly Lock _lock = new();
    private HashSet<UInt128> _young = [];
    private HashSet<UInt128> _old = [];
    private long _since = time.GetTimestamp();

    /// <summary>False where the id was there before.</summary>
    public bool TryRemember(string id)
    {
        var hash = XxHash128.HashToUInt128(MemoryMarshal.AsBytes(id.AsSpan()));
        lock (_lock)
        {
            if (time.GetElapsedTime(_since) is var age && age >= Window)
            {
                _old = age < 2 * Window ? _young : [];
                _young = [];
                _since = time.GetTimestamp();
            }
            return !_old.Contains(hash) && _young.Add(hash);
        }
    }
}
