using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Kohakku.Local.Hosting.Engine;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

public interface IDistributedApplicationBuilder
{
    ConfigurationManager Configuration { get; }

    /// <summary>The folder of the AppHost's project.</summary>
    string AppHostDirectory { get; }

    DistributedApplicationExecutionContext ExecutionContext { get; }

    IList<IResource> Resources { get; }
    IResourceBuilder<T> AddResource<T>(T resource) where T : IResource;
    IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource;
    DistributedApplication Build();
}

/// <summary>What the AppHost is doing. This implementation runs; it has no publishers.</summary>
public sealed class DistributedApplicationExecutionContext
{
    internal DistributedApplicationExecutionContext() { }

#pragma warning disable CA1822 // As Aspire has them.
    public bool IsPublishMode => false;
    public bool IsRunMode => true;
#pragma warning restore CA1822
}

/// <summary>The arguments of the AppHost, its environment, and where its data is.</summary>
internal sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    private const string WorkspaceRoot = "WORKSPACE_ROOT";
    private readonly EntryPointCapture? capture;
    private readonly string[] arguments;

    public DistributedApplicationBuilder(string[] arguments, EntryPointCapture? capture)
    {
        this.arguments = arguments;
        this.capture = capture;
        AppHostDirectory = DirectoryOf(capture?.EntryPoint ?? Assembly.GetEntryAssembly());
        Configuration.AddEnvironmentVariables();
        if (capture is not null)
        {
            // As the provider of the real environment has it: Section__Key is Section:Key.
            Configuration.AddInMemoryCollection(capture.Environment.ToDictionary(pair => pair.Key.Replace("__", ":", StringComparison.Ordinal), pair => pair.Value));
        }
        DataFolder = new DataFolder(Configuration[DataFolder.Variable] is { Length: > 0 } configured
            ? Path.GetFullPath(configured)
            : Path.GetFullPath(Path.Combine(AppHostDirectory, "..", ".kohakku")));
        Configuration[DataFolder.Variable] = DataFolder.FullPath;
        // Agents that root starts as processes run as a user who must be able to enter their workspaces.
        if (Environment.IsPrivilegedProcess && !DataFolder.IsPassable) Configuration[WorkspaceRoot] ??= Path.Combine(DataFolder.Elsewhere, "workspaces");
    }

    public ConfigurationManager Configuration { get; } = new();
    public string AppHostDirectory { get; }
    public DistributedApplicationExecutionContext ExecutionContext { get; } = new();
    public IList<IResource> Resources { get; } = [];
    internal DataFolder DataFolder { get; }

    public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
    {
        if (Resources.Any(other => string.Equals(other.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new InvalidOperationException($"There are two resources with the name {resource.Name}.");
        }
        if (resource.Name.Length is 0 or > 64 || resource.Name.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter != '-'))
        {
            throw new ArgumentException($"'{resource.Name}' is no name for a resource: letters, digits and hyphens are, up to 64.", nameof(resource));
        }
        Resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => new ResourceBuilder<T>(this, resource);

    public DistributedApplication Build() => new(Resources.ToList(), DataFolder, arguments, capture);

    private static string DirectoryOf(Assembly? entryPoint) =>
        entryPoint?.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(fact => fact.Key == "AppHostDirectory")?.Value
        ?? Environment.CurrentDirectory;

    private sealed record ResourceBuilder<T>(IDistributedApplicationBuilder ApplicationBuilder, T Resource) : IResourceBuilder<T> where T : IResource;
}
