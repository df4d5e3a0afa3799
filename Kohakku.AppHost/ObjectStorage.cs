namespace Kohakku.AppHost;

/// <summary>An S3 server and the keys to it.</summary>
internal sealed record ObjectStorage(
    IResourceBuilder<IResourceWithEndpoints> Server, IResourceBuilder<ParameterResource> AccessKey, IResourceBuilder<ParameterResource> SecretKey);

/// <summary>
/// Object storage is where the two builds differ: MinIO in a container under Aspire; on this machine a <c>minio</c> program
/// where there is one, else the S3 server of Kohakku.Local.
/// </summary>
internal static class ObjectStorageExtensions
{
    private const string Endpoint = "http";

    public static ObjectStorage AddObjectStorage(this IDistributedApplicationBuilder builder, string name, int port)
    {
        var accessKey = builder.AddParameter($"{name}-access-key", "kohakku");
        var secretKey = builder.AddParameter($"{name}-secret-key", new GenerateParameterDefault { MinLength = 40, Special = false }, secret: true, persist: true);
        return new ObjectStorage(AddServer(builder, name, port, accessKey, secretKey), accessKey, secretKey);
    }

    public static IResourceBuilder<T> WithObjectStorage<T>(this IResourceBuilder<T> builder, ObjectStorage storage)
        where T : IResourceWithEnvironment, IResourceWithWaitSupport => builder
        .WithEnvironment("S3_ENDPOINT", storage.Server.GetEndpoint(Endpoint))
        .WithEnvironment("S3_ACCESS_KEY", storage.AccessKey)
        .WithEnvironment("S3_SECRET_KEY", storage.SecretKey)
        .WithEnvironment("S3_REGION", "us-east-1")
        .WithEnvironment("S3_BUCKET", "kohakku")
        .WaitFor(storage.Server);

#if ASPIRE
    private static IResourceBuilder<IResourceWithEndpoints> AddServer(
        IDistributedApplicationBuilder builder, string name, int port, IResourceBuilder<ParameterResource> accessKey, IResourceBuilder<ParameterResource> secretKey) =>
        builder.AddContainer(name, "minio/minio", "RELEASE.2025-09-07T16-13-09Z")
            .WithArgs("server", "/data", "--console-address", ":9001")
            .WithVolume("kohakku-objects", "/data")
            .WithHttpEndpoint(port, targetPort: 9000)
            .WithHttpEndpoint(9001, targetPort: 9001, name: "console")
            .WithHttpHealthCheck("/minio/health/live")
            .WithEnvironment("MINIO_ROOT_USER", accessKey)
            .WithEnvironment("MINIO_ROOT_PASSWORD", secretKey);
#else
    private static IResourceBuilder<IResourceWithEndpoints> AddServer(
        IDistributedApplicationBuilder builder, string name, int port, IResourceBuilder<ParameterResource> accessKey, IResourceBuilder<ParameterResource> secretKey)
    {
        var data = Path.Combine(builder.DataFolder(), name);
        if (builder.FindProgram("minio") is { } minio)
        {
            var server = builder.AddExecutable(name, minio, builder.AppHostDirectory).WithHttpEndpoint(port).WithHttpHealthCheck("/minio/health/live");
            return server
                .WithArgs("server", data, "--address", ReferenceExpression.Create($"{server.GetEndpoint(Endpoint).Property(EndpointProperty.HostAndPort)}"))
                .WithEnvironment("MINIO_ROOT_USER", accessKey)
                .WithEnvironment("MINIO_ROOT_PASSWORD", secretKey);
        }
        var local = builder.AddExecutable(name, Path.Combine(AppContext.BaseDirectory, "kohakku-local"), builder.AppHostDirectory)
            .WithHttpEndpoint(port)
            .WithHttpHealthCheck("/health");
        return local
            .WithArgs("s3", "--urls", local.GetEndpoint(Endpoint), "--data", data)
            .WithEnvironment("S3_ACCESS_KEY", accessKey)
            .WithEnvironment("S3_SECRET_KEY", secretKey);
    }
#endif
}
