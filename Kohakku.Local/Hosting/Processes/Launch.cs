namespace Kohakku.Local.Hosting.Processes;

/// <summary>How a process is started, and asked to end.</summary>
internal sealed record Launch(string Program, IReadOnlyList<string> Arguments, string WorkingDirectory)
{
    /// <summary>Added to the environment of this process.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>The user it runs as; null for our own.</summary>
    public string? RunAs { get; init; }

    public int StopSignal { get; init; } = LibC.SigTerm;
}
