using System.Collections.Concurrent;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>All attempts this dispatcher holds, from the claim until their end is acknowledged and cleaned up. Safe for any thread.</summary>
internal sealed class AttemptTable
{
    private const int RememberedTokens = 4096;
    private readonly ConcurrentDictionary<Guid, Attempt> attempts = new();
    private readonly ConcurrentDictionary<TokenHash, Attempt> tokens = new();
    private readonly ConcurrentDictionary<TokenHash, byte> ended = new();
    private readonly ConcurrentQueue<TokenHash> endedInOrder = new();

    private volatile bool isComplete;

    /// <summary>False until all attempts of an earlier process are in it: before, nobody can say that there is no such attempt.</summary>
    public bool IsComplete => isComplete;

    public int Count => attempts.Count;

    public IEnumerable<Attempt> All => attempts.Values;

    public void MarkComplete() => isComplete = true;

    /// <returns>False when it is there already.</returns>
    public bool Add(Attempt attempt)
    {
        if (!attempts.TryAdd(attempt.Id, attempt)) return false;
        // Inline attempts have no agent that could show a token.
        if (!attempt.IsInline) tokens[attempt.Token] = attempt;
        return true;
    }

    public Attempt? Find(Guid id) => attempts.GetValueOrDefault(id);

    public Attempt? Find(TokenHash token) => tokens.GetValueOrDefault(token);

    /// <summary>True for tokens that opened an attempt of late.</summary>
    public bool WasKnown(TokenHash token) => ended.ContainsKey(token);

    public void Remove(Attempt attempt)
    {
        if (!attempts.TryRemove(attempt.Id, out _)) return;
        if (!attempt.IsInline)
        {
            ended[attempt.Token] = 0;
            endedInOrder.Enqueue(attempt.Token);
            if (endedInOrder.Count > RememberedTokens && endedInOrder.TryDequeue(out var oldest)) ended.TryRemove(oldest, out _);
            tokens.TryRemove(attempt.Token, out _);
        }
        attempt.Dispose();
    }
}
