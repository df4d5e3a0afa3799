namespace Kohakku.Dispatcher.Claiming;

/// <summary>
/// How many orders to ask for. As many as there are free slots; but inline attempts occupy a slot for microseconds only, so while
/// claims come back full of nothing else, the next one asks for twice as many. One agent among them, or a claim that is not
/// full, and it is back to the free slots. Used by the claim loop alone.
/// </summary>
internal sealed class ClaimSize(int largest)
{
    private int inlineRun;

    public int Next(int freeSlots) => Math.Min(largest, Math.Max(freeSlots, inlineRun));

    public void Observe(int asked, int inlineOrders, int otherOrders) =>
        inlineRun = otherOrders == 0 && inlineOrders == asked ? Math.Min(largest, asked * 2) : 0;
}
