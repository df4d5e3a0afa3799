namespace Kohakku.AppHost;

/// <summary>Where agents run: in containers when an engine answers on this machine, else as processes.</summary>
internal static class AgentRuntime
{
    private const string Backend = "RUNTIME_BACKEND";
    private const string Containers = "local";
    private const string Processes = "process";

    public static IResourceBuilder<T> WithAgentRuntime<T>(this IResourceBuilder<T> builder) where T : IResourceWithEnvironment
    {
        var application = builder.ApplicationBuilder;
        return builder
            .WithEnvironment(Backend, BackendOf(application))
            .WithEnvironment("WORKSPACE_ROOT", application.Setting("WORKSPACE_ROOT") ?? Path.Combine(application.DataFolder(), "workspaces"))
            .WithEnvironment("SOCKET_DIR", Path.Combine(application.DataFolder(), "sockets"));
    }

    /// <summary>Builds the image of the sample agents in this machine's engine; a failure is told and stops nothing.</summary>
    public static void AddSampleImage(this IDistributedApplicationBuilder builder, string name)
    {
        var root = Path.GetFullPath(Path.Combine(builder.AppHostDirectory, ".."));
        var script = Path.Combine(root, "eng", "images");
        if (File.Exists(script) && BackendOf(builder) == Containers) builder.AddExecutable(name, script, root);
    }

    private static string BackendOf(IDistributedApplicationBuilder builder) =>
        builder.Setting(Backend) ?? (ContainerEngine.Answers(builder.Setting("DOCKER_HOST")) ? Containers : Processes);
}
