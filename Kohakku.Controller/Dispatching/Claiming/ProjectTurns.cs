namespace Kohakku.Controller.Dispatching.Claiming;

/// <summary>
/// Remembers which projects were served, so that the next claim serves those first that wait longest: fair over time also where claims are for one slot.
/// Each controller is fair by itself, and so all of them together. Any thread may call.
/// </summary>
internal sealed class ProjectTurns
{
    private readonly Lock gate = new();
    private readonly LinkedList<Guid> served = [];
    private Guid[]? order;

    /// <summary>The projects served so far, the one served longest ago first.</summary>
    public Guid[] Order()
    {
        lock (gate) return order ??= [.. served];
    }

    public void Served(IEnumerable<Guid> projects)
    {
        lock (gate)
        {
            foreach (var project in projects)
            {
                if (served.Last?.Value == project) continue;
                served.Remove(project);
                served.AddLast(project);
                order = null;
            }
        }
    }
}
