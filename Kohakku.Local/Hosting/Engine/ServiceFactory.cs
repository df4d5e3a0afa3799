using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Postgres;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>Which service runs which resource.</summary>
/// <param name="hostEnvironment">What the environment of this process is for the services, where it differs from the real one.</param>
internal sealed class ServiceFactory(IReadOnlyList<IResource> resources, DataFolder data, IReadOnlyDictionary<string, string?> hostEnvironment) : IDisposable
{
    private readonly HealthProbes probes = new();

    public DataFolder Data => data;

    public Service For(IResource resource) => resource switch
    {
        PostgresServerResource server => new PostgresService(
            server, [.. resources.OfType<PostgresDatabaseResource>().Where(database => database.Parent == server).Select(database => database.DatabaseName)], data),
        RedisResource redis => new RedisService(redis, data),
        ProjectResource or ExecutableResource => ProgramOf((Resource)resource),
        _ => throw new NotSupportedException($"{resource.Name}: a {resource.GetType().Name} can't be run without a container engine."),
    };

    public ProgramService ProgramOf(Resource resource) => new(resource, hostEnvironment, probes);

    public void Dispose() => probes.Dispose();
}

/// <summary>Another process runs on the data folder.</summary>
internal sealed class DataFolderTakenException(string message) : Exception(message);
