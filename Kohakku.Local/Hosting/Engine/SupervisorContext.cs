using Kohakku.Local.Hosting.Output;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>What all supervisors of a host share.</summary>
internal sealed record SupervisorContext(DataFolder Data, Spawner Spawner, HostConsole Console, TimeProvider Time);

/// <summary>A resource will not come up, so what waits for it won't either; its reason has been said.</summary>
internal sealed class DependencyFailedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A service refused its configuration.</summary>
internal sealed class WrongConfigurationException(string resource, IReadOnlyList<string> lines) : Exception($"{resource} refused its configuration: {string.Join(" ", lines)}")
{
    public string Resource { get; } = resource;
    public IReadOnlyList<string> Lines { get; } = lines;
}
