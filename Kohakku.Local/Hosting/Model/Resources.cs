using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.ApplicationModel
{
    /// <summary>A fact about a resource, hung onto it by an extension method.</summary>
    public interface IResourceAnnotation;

    public interface IResource
    {
        string Name { get; }
        IList<IResourceAnnotation> Annotations { get; }
    }

    public interface IResourceWithEnvironment : IResource;

    public interface IResourceWithArgs : IResource;

    public interface IResourceWithEndpoints : IResource;

    public interface IResourceWithWaitSupport : IResource;

    public interface IResourceWithServiceDiscovery : IResourceWithEndpoints;

    /// <summary>Something whose value is known only once the application starts: a port, a secret, a text made of these.</summary>
    public interface IValueProvider
    {
        ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default);
    }

    public interface IResourceWithConnectionString : IResource, IValueProvider
    {
        ReferenceExpression ConnectionStringExpression { get; }

        ValueTask<string?> IValueProvider.GetValueAsync(CancellationToken cancellationToken) =>
            ConnectionStringExpression.GetValueAsync(cancellationToken);
    }

    /// <summary>A resource that lives in another, as a database in its server.</summary>
    public interface IResourceWithParent : IResource
    {
        IResource Parent { get; }
    }

    public abstract class Resource(string name) : IResource
    {
        public string Name { get; } = name;
        public IList<IResourceAnnotation> Annotations { get; } = [];

        internal IEnumerable<T> All<T>() where T : IResourceAnnotation => Annotations.OfType<T>();
    }

    public interface IResourceBuilder<out T> where T : IResource
    {
        IDistributedApplicationBuilder ApplicationBuilder { get; }
        T Resource { get; }
    }

    /// <summary>A program of the machine. Without an endpoint it is a job: it runs once and is done.</summary>
    public class ExecutableResource(string name, string command, string workingDirectory) : Resource(name),
        IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport, IResourceWithServiceDiscovery
    {
        public string Command { get; } = command;
        public string WorkingDirectory { get; } = workingDirectory;
    }

    /// <summary>A project of this solution, run as its build left it.</summary>
    public class ProjectResource(string name) : Resource(name),
        IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport, IResourceWithServiceDiscovery;

    public class PostgresServerResource(string name, ParameterResource? userName, ParameterResource password) : Resource(name),
        IResourceWithEndpoints, IResourceWithConnectionString, IResourceWithEnvironment, IResourceWithWaitSupport
    {
        private const string DefaultUserName = "postgres";

        public EndpointReference PrimaryEndpoint => new(this, "tcp");
        public ParameterResource? UserNameParameter { get; } = userName;
        public ParameterResource PasswordParameter { get; } = password;

        public ReferenceExpression UserNameReference => UserNameParameter is null
            ? ReferenceExpression.Create($"{DefaultUserName}")
            : ReferenceExpression.Create($"{UserNameParameter}");

        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create(
            $"Host={PrimaryEndpoint.Property(EndpointProperty.IPV4Host)};Port={PrimaryEndpoint.Property(EndpointProperty.Port)};Username={UserNameReference};Password={PasswordParameter}");
    }

    public class PostgresDatabaseResource(string name, string databaseName, PostgresServerResource server) : Resource(name),
        IResourceWithConnectionString, IResourceWithParent
    {
        public string DatabaseName { get; } = databaseName;
        public PostgresServerResource Parent { get; } = server;
        IResource IResourceWithParent.Parent => Parent;

        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{Parent.ConnectionStringExpression};Database={DatabaseName}");
    }

    /// <summary>Left out, with all references to it, where the machine has no redis-server.</summary>
    public class RedisResource(string name) : Resource(name),
        IResourceWithEndpoints, IResourceWithConnectionString, IResourceWithEnvironment, IResourceWithWaitSupport
    {
        public EndpointReference PrimaryEndpoint => new(this, "tcp");
        public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{PrimaryEndpoint.Property(EndpointProperty.HostAndPort)}");
    }
}

namespace Aspire.Hosting
{
    /// <summary>Names a project of the solution; one class for each is generated into the AppHost.</summary>
    public interface IProjectMetadata : IResourceAnnotation
    {
        string ProjectPath { get; }
    }
}
