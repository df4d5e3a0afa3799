namespace Kohakku.AppHost;

/// <summary>A Temporal frontend and the namespace to use there.</summary>
/// <param name="Server">Null where the operator has one elsewhere.</param>
internal sealed record Temporal(IResourceBuilder<IResourceWithEndpoints>? Server, string Namespace);

/// <summary>
/// Temporal is another difference between the two builds: its development server in a container under Aspire; on this machine
/// a <c>temporal</c> program where there is one, else the server of Kohakku.Local, which keeps its state in Postgres.
/// </summary>
internal static class TemporalExtensions
{
    private const string Address = "TEMPORAL_ADDRESS";
    private const string NamespaceVariable = "TEMPORAL_NAMESPACE";
    private const string DefaultNamespace = "default";
    private const string Frontend = "grpc";
    private const string UserInterface = "ui";
    private const int UserInterfacePort = 8088;

    /// <summary>With <c>TEMPORAL_ADDRESS</c> in the environment of the AppHost nothing is run: that frontend is used.</summary>
    /// <param name="postgres">Gets a database for the server that keeps its state there.</param>
    public static Temporal AddTemporal(this IDistributedApplicationBuilder builder, string name, int port, IResourceBuilder<PostgresServerResource> postgres)
    {
        var @namespace = builder.Setting(NamespaceVariable) ?? DefaultNamespace;
        return new Temporal(builder.Setting(Address) is null ? AddServer(builder, name, port, @namespace, postgres) : null, @namespace);
    }

    /// <summary>A frontend elsewhere reaches the service with the operator's other settings.</summary>
    public static IResourceBuilder<T> WithTemporal<T>(this IResourceBuilder<T> builder, Temporal temporal) where T : IResourceWithEnvironment => temporal.Server is { } server
        ? builder
            .WithEnvironment(Address, ReferenceExpression.Create($"{server.GetEndpoint(Frontend).Property(EndpointProperty.HostAndPort)}"))
            .WithEnvironment(NamespaceVariable, temporal.Namespace)
        : builder;

    /// <summary>For who is of no use without it. A frontend elsewhere is not waited for.</summary>
    public static IResourceBuilder<T> WaitForTemporal<T>(this IResourceBuilder<T> builder, Temporal temporal) where T : IResourceWithWaitSupport =>
        temporal.Server is { } server ? builder.WaitFor(server) : builder;

#if ASPIRE
    // The image's user can write in its own home only, and so in a volume there.
    private static IResourceBuilder<IResourceWithEndpoints> AddServer(
        IDistributedApplicationBuilder builder, string name, int port, string @namespace, IResourceBuilder<PostgresServerResource> _) =>
        builder.AddContainer(name, "temporalio/temporal", "1.5.1")
            .WithArgs("server", "start-dev", "--ip", "0.0.0.0", "--db-filename", "/home/temporal/temporal.db", "--namespace", @namespace)
            .WithVolume("kohakku-temporal", "/home/temporal")
            .WithHttpEndpoint(port, targetPort: 7233, name: Frontend)
            .WithEndpoint(Frontend, endpoint => endpoint.Transport = "http2")
            .WithHttpEndpoint(UserInterfacePort, targetPort: 8233, name: UserInterface)
            // Of Aspire's checks none speaks gRPC; the user interface asks the frontend for this answer.
            .WithHttpHealthCheck("/api/v1/system-info", endpointName: UserInterface);
#else
    private const string FrontendService = "temporal.api.workflowservice.v1.WorkflowService";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static IResourceBuilder<IResourceWithEndpoints> AddServer(
        IDistributedApplicationBuilder builder, string name, int port, string @namespace, IResourceBuilder<PostgresServerResource> postgres) =>
        builder.FindProgram("temporal") is { } program
            ? AddProgram(builder, name, port, @namespace, program)
            : AddLocal(builder, name, port, @namespace, postgres.AddDatabase($"{name}-database", name));

    private static IResourceBuilder<IResourceWithEndpoints> AddProgram(
        IDistributedApplicationBuilder builder, string name, int port, string @namespace, string program)
    {
        // It makes its file, but no folder for it. What workflows are told is not for agents that run as processes here.
        var data = Directory.CreateDirectory(Path.Combine(builder.DataFolder(), name), OwnerOnly).FullName;
        var server = builder.AddExecutable(name, program, builder.AppHostDirectory)
            .WithHttpEndpoint(port, name: Frontend)
            .WithHttpEndpoint(UserInterfacePort, name: UserInterface)
            .WithGrpcHealthCheck(FrontendService, Frontend);
        return server.WithArgs(
            "server", "start-dev", "--ip", "127.0.0.1", "--port", PortOf(server, Frontend), "--ui-port", PortOf(server, UserInterface),
            "--db-filename", Path.Combine(data, "temporal.db"), "--namespace", @namespace);
    }

    private static IResourceBuilder<IResourceWithEndpoints> AddLocal(
        IDistributedApplicationBuilder builder, string name, int port, string @namespace, IResourceBuilder<PostgresDatabaseResource> database)
    {
        var server = builder.AddExecutable(name, Path.Combine(AppContext.BaseDirectory, "kohakku-local"), builder.AppHostDirectory)
            .WithHttpEndpoint(port, name: Frontend)
            .WithGrpcHealthCheck(FrontendService, Frontend);
        return server
            .WithArgs("temporal", "--urls", server.GetEndpoint(Frontend), "--namespace", @namespace)
            .WithEnvironment("TEMPORAL_DATABASE", database)
            .WaitFor(database);
    }

    private static ReferenceExpression PortOf(IResourceBuilder<ExecutableResource> server, string endpoint) =>
        ReferenceExpression.Create($"{server.GetEndpoint(endpoint).Property(EndpointProperty.Port)}");
#endif
}
