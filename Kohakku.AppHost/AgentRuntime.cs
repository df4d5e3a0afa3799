namespace Kohakku.AppHost;

/// <summary>Where agents run: in containers when an engine answers on this machine and the build could link the runner for them, else as processes.</summary>
internal static class AgentRuntime
{
    private const string Backend = "RUNTIME_BACKEND";
    private const string Containers = "local";
    private const string Processes = "process";

    public static IResourceBuilder<T> WithAgentRuntime<T>(this IResourceBuilder<T> builder) where T : IResourceWithEnvironment
    {
        var application = builder.ApplicationBuilder;
        // Where it is published to, the dispatcher's own defaults hold.
        if (application.ExecutionContext.IsPublishMode) return builder;
        if (application.Setting(Backend) is null && HasEngine(application) && !HasNativeRunner(application))
            Console.Error.WriteLine("Agents run as processes: the runner for containers is not built. Install gcc or clang and zlib's headers, and build again.");
        return builder
            .WithEnvironment(Backend, BackendOf(application))
            .WithEnvironment("WORKSPACE_ROOT", application.Setting("WORKSPACE_ROOT") ?? Path.Combine(application.DataFolder(), "workspaces"))
            .WithEnvironment("SOCKET_DIR", Path.Combine(application.DataFolder(), "sockets"));
    }

    /// <summary>Builds the image of the sample agents in this machine's engine; a failure is told and stops nothing.</summary>
    public static void AddSampleImage(this IDistributedApplicationBuilder builder, string name)
    {
        if (builder.ExecutionContext.IsPublishMode) return;
        var root = Root(builder);
        var script = Path.Combine(root, "eng", "images");
        if (File.Exists(script) && BackendOf(builder) == Containers) builder.AddExecutable(name, script, root);
    }

    private static string BackendOf(IDistributedApplicationBuilder builder) =>
        builder.Setting(Backend) ?? (HasEngine(builder) && HasNativeRunner(builder) ? Containers : Processes);

    private static bool HasEngine(IDistributedApplicationBuilder builder) => ContainerEngine.Answers(builder.Setting("DOCKER_HOST"));

    // Where eng/native-runner puts it, unless the operator brings one.
    private static bool HasNativeRunner(IDistributedApplicationBuilder builder) =>
        File.Exists(builder.Setting("KOHAKKU_RUNNER") ?? Path.Combine(Root(builder), "artifacts", "runner", "kohakku-agent"));

    private static string Root(IDistributedApplicationBuilder builder) => Path.GetFullPath(Path.Combine(builder.AppHostDirectory, ".."));
}
