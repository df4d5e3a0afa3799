using Kohakku.Tests.EndToEnd;

namespace Kohakku.Tests.Fixtures;

/// <summary>The programs of one release: a built source tree.</summary>
internal sealed record Release(string Folder)
{
    /// <summary>What was built with these tests.</summary>
    public static Release This { get; } = new(SourceTree.RepositoryRoot);

    /// <summary>What <c>KOHAKKU_OLD_RELEASE</c> names (<c>eng/test-upgrade</c> builds and names it); without it, this build stands in for the release before it.</summary>
    public static Release Old { get; } = Environment.GetEnvironmentVariable("KOHAKKU_OLD_RELEASE") is { Length: > 0 } folder ? new(Path.GetFullPath(folder)) : This;

    /// <summary>Where it was built in its project's folder: beside it lies what it needs, such as the manifests of the console's files, and the runner.</summary>
    public string Program(string project, string? assembly = null)
    {
        string[] configurations = [new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "Release", "Debug"];
        return configurations.Select(configuration => Path.Combine(Folder, project, "bin", configuration, "net10.0", $"{assembly ?? project}.dll")).First(File.Exists);
    }
}
