namespace Kohakku.Dispatcher.AgentApi;

/// <summary>How many bytes of artifacts one attempt has stored, and may still. Safe for any thread.</summary>
internal sealed class ArtifactBudget
{
    /// <summary>Of one attempt, in sum.</summary>
    public const long Limit = 1024L * 1024 * 1024;

    private readonly Lock gate = new();
    private readonly Dictionary<string, long> stored = new(StringComparer.Ordinal);
    private readonly long limit;
    private long used;

    public ArtifactBudget(long limit = Limit) => this.limit = limit;

    /// <summary>Begins one upload; what it took is given back unless it is kept.</summary>
    public Share Open() => new(this);

    /// <summary>Notes what an earlier process stored.</summary>
    public void Restore(string path, long size)
    {
        lock (gate)
        {
            used += size - (stored.TryGetValue(path, out var replaced) ? replaced : 0);
            stored[path] = size;
        }
    }

    internal sealed class Share(ArtifactBudget budget) : IDisposable
    {
        private long taken;

        /// <exception cref="ArtifactLimitException">There is not so much left.</exception>
        public void Take(int bytes)
        {
            lock (budget.gate)
            {
                if (budget.used + bytes > budget.limit) throw new ArtifactLimitException(budget.limit);
                budget.used += bytes;
                taken += bytes;
            }
        }

        /// <summary>The upload is stored under this path, in place of what was there.</summary>
        public void Keep(string path)
        {
            lock (budget.gate)
            {
                if (budget.stored.TryGetValue(path, out var replaced)) budget.used -= replaced;
                budget.stored[path] = taken;
                taken = 0;
            }
        }

        public void Dispose()
        {
            lock (budget.gate) budget.used -= taken;
            taken = 0;
        }
    }
}

/// <summary>An attempt's artifacts are larger, in sum, than is kept.</summary>
internal sealed class ArtifactLimitException(long limit) : Exception($"The artifacts of one attempt may have {limit / (1024 * 1024)} MiB in sum: this one does not fit any more.");
