namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>What the runtime writes on all it makes in the engine, and by which alone it finds its own again.</summary>
internal static class ContainerLabels
{
    /// <summary>The instance id of the dispatcher that an agent's container belongs to.</summary>
    public const string Instance = "kohakku.instance";
    public const string Attempt = "kohakku.attempt";
    public const string Task = "kohakku.task";
    /// <summary>On containers that never start, made only to look into an image or to fill a volume: the dispatcher's instance id.</summary>
    public const string Helper = "kohakku.helper";
    /// <summary>On volumes that hold the runner: its digest.</summary>
    public const string Runner = "kohakku.runner";
    /// <summary>On the network that was made for agents.</summary>
    public const string Network = "kohakku.network";

    /// <summary>The container of an attempt: its name is what makes a second start of one attempt find the first.</summary>
    public static string NameOf(Guid attemptId) => $"kohakku-{attemptId:N}";

    /// <summary>The filter of list calls: a label, and its value where that matters.</summary>
    public static Dictionary<string, IDictionary<string, bool>> Filter(string label, string? value = null) =>
        new() { ["label"] = new Dictionary<string, bool> { [value is null ? label : $"{label}={value}"] = true } };
}
