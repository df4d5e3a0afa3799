namespace Kohakku.AppHost;

/// <summary>What the operator sets in the environment of the AppHost is handed on to the services, and wins.</summary>
internal static class OperatorSettings
{
    public const string DataFolderVariable = "KOHAKKU_DATA";

    /// <summary>The keys of docs/ that Program.cs sets as well; all others reach the services by themselves, as every process inherits its environment.</summary>
    private static readonly string[] Keys =
    [
        "CONTROLLER_URL", "DISPATCHER_URL", "DISPATCHER_NAME", "REDIS_URL", "QUEUE_SOURCE",
        "POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD",
        "ConnectionStrings__controller", "ConnectionStrings__dispatcher", "ConnectionStrings__redis",
        "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_REGION", "S3_BUCKET",
        "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_TASK_QUEUE", "TEMPORAL_TLS", "TEMPORAL_TLS_CERT", "TEMPORAL_TLS_KEY", "TEMPORAL_API_KEY",
        "CALLBACK_SIGNING_KEY", "KOHAKKU_SECRET_KEY", "KOHAKKU_API_TOKEN", "ALLOWED_HOSTS", "AGENT_IMAGE_REGISTRY", "WEBHOOKS_ALLOW_PRIVATE",
        "RUNTIME_BACKEND", "NUM_CONSUMERS", "MAX_CONCURRENT_AGENTS", "MAX_CONCURRENT_PULLS", "DOCKER_HOST", "DOCKER_NETWORK",
        "DISPATCHER_LABELS", "WORKSPACE_ROOT", "SOCKET_DIR", "SOCKET_VOLUME", "RETENTION_DAYS", "SMTP_URL",
    ];

    /// <summary>Everything local lives here; default <c>.kohakku/</c> at the root of the repository.</summary>
    public static string DataFolder(this IDistributedApplicationBuilder builder) =>
        builder.Setting(DataFolderVariable) ?? Path.GetFullPath(Path.Combine(builder.AppHostDirectory, "..", ".kohakku"));

    /// <summary>What the operator has set; null when nothing, or nothing but blanks.</summary>
    public static string? Setting(this IDistributedApplicationBuilder builder, string key) =>
        // Configuration writes the sections of a name with colons.
        builder.Configuration[key.Replace("__", ":", StringComparison.Ordinal)] is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;

    /// <summary>What is published is for elsewhere: of this machine's settings and secrets nothing is written into it, and services there run in Production.</summary>
    public static IResourceBuilder<T> WithOperatorSettings<T>(this IResourceBuilder<T> builder) where T : IResourceWithEnvironment =>
        builder.ApplicationBuilder.ExecutionContext.IsPublishMode ? builder : builder
        .WithEnvironment("ASPNETCORE_ENVIRONMENT", "Development")
        .WithEnvironment(DataFolderVariable, builder.ApplicationBuilder.DataFolder())
        .WithEnvironment(context =>
        {
            var environment = context.EnvironmentVariables;
            foreach (var key in Keys)
            {
                if (builder.ApplicationBuilder.Setting(key) is { } value) environment[key] = value;
            }
            // A connection string wins over these keys; here they are the operator's and it is ours.
            if (environment.ContainsKey("REDIS_URL") && builder.ApplicationBuilder.Setting("ConnectionStrings__redis") is null)
            {
                environment.Remove("ConnectionStrings__redis");
            }
            if (environment.ContainsKey("POSTGRES_HOST"))
            {
                foreach (var name in (ReadOnlySpan<string>)["ConnectionStrings__controller", "ConnectionStrings__dispatcher"])
                {
                    if (builder.ApplicationBuilder.Setting(name) is null) environment.Remove(name);
                }
            }
        });
}
