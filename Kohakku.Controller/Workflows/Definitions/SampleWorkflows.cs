using Kohakku.Controller.Data;
using Kohakku.Controller.Projects;
using Kohakku.Workflows.Definitions;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Workflows.Definitions;

/// <summary>Gives the project of a fresh install the workflows of <c>workflows/*.yaml</c>, which are built in. What is there stays as it is, also what was deleted.</summary>
internal sealed partial class SampleWorkflows(IDbContextFactory<ControllerDb> databases, WorkflowRegistry registry, ILogger<SampleWorkflows> logger)
{
    private const string ResourcePrefix = "workflows/";

    public async Task SeedAsync(CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var project = await database.Projects.Where(known => known.Name == Project.DefaultName).Select(known => known.Id).SingleAsync(cancellationToken);
        var there = await database.Workflows.Where(workflow => workflow.ProjectId == project).Select(workflow => workflow.Name).ToListAsync(cancellationToken);
        var made = 0;
        foreach (var (definition, source) in BuiltIn().Where(sample => !there.Contains(sample.Definition.Name)))
        {
            await registry.PutAsync(project, definition, source, "seed", cancellationToken);
            made++;
        }

        if (made > 0) LogSeeded(made);
    }

    /// <exception cref="InvalidDataException">One has faults.</exception>
    internal static IEnumerable<(WorkflowDefinition Definition, string Source)> BuiltIn()
    {
        var assembly = typeof(SampleWorkflows).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith(ResourcePrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!);
            var source = reader.ReadToEnd();
            var read = DefinitionReader.Read(source);
            yield return read.Definition is { } definition
                ? (definition, source)
                : throw new InvalidDataException($"{resource} has faults: {string.Join("; ", read.Faults.Select(fault => $"line {fault.Line}: {fault.Path} {fault.Message}"))}");
        }
    }

    [LoggerMessage(5201, LogLevel.Information, "Made {Count} sample workflows.")]
    private partial void LogSeeded(int count);
}
