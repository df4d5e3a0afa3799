using System.Runtime.InteropServices;

namespace Kohakku.Dispatcher.Runtimes;

/// <summary>Where the program is that is put into every agent.</summary>
/// <param name="NativePath">One fully static binary; absent on a machine that had no C toolchain to link it.</param>
/// <param name="ManagedPath">The same runner for the .NET runtime; only the <c>process</c> runtime can use it.</param>
internal sealed record Runner(string NativePath, string ManagedPath)
{
    /// <summary>The runner's one command: run the attempt that the environment names.</summary>
    public const string Verb = "exec";

    public bool HasNative => File.Exists(NativePath);

    public bool HasManaged => File.Exists(ManagedPath);

    /// <param name="folder">The dispatcher's own; its build puts the runner beside it.</param>
    /// <param name="nativeOverride"><c>KOHAKKU_RUNNER</c>, or null.</param>
    public static Runner Find(string folder, string? nativeOverride) => new(
        nativeOverride is null ? Path.Combine(folder, "runner", "kohakku-agent") : Path.GetFullPath(nativeOverride),
        Path.Combine(folder, "runner", "managed", "kohakku-agent.dll"));

    /// <summary>The command that starts it on this host.</summary>
    /// <exception cref="RuntimeUnavailableException">Neither form is there.</exception>
    public IReadOnlyList<string> HostCommand()
    {
        if (HasNative) return [NativePath, Verb];
        if (HasManaged) return [DotnetHost(), ManagedPath, Verb];
        throw new RuntimeUnavailableException($"The runner is neither at {NativePath} nor at {ManagedPath}: build the solution again.");
    }

    // The runtime's own folder is <root>/shared/Microsoft.NETCore.App/<version>/, however this process was started.
    private static string DotnetHost() => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
}
