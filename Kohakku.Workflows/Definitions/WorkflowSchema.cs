namespace Kohakku.Workflows.Definitions;

/// <summary>
/// The JSON schema of documents, for editors: what stands where, and what it means. <see cref="DefinitionReader"/> is the one that decides; the schema has its
/// keys, its names and its ranges, and nothing that takes more than one key to tell.
/// </summary>
public static class WorkflowSchema
{
    private const string Resource = "workflow.schema.json";

    public static string Json { get; } = Load();

    private static string Load()
    {
        using var stream = typeof(WorkflowSchema).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"The resource {Resource} is missing.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
