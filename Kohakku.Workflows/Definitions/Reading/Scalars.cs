namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>Scalars as text.</summary>
internal static class Scalars
{
    /// <summary>What is written, also when it looks like a number; null, with the fault named, when it is no text.</summary>
    public static string? Text(Node node, string path, FaultList faults)
    {
        if (node.Kind != NodeKind.Scalar)
        {
            // brief: {{ x }} is an object with an object as its key; whoever writes it means the template.
            var isTemplate = node is { IsFlow: true, Kind: NodeKind.Mapping };
            faults.Add(node, path, isTemplate ? "must be text, but is an object; a template in braces needs quotes: \"{{ … }}\"" : $"must be text, but is {node.Description}");
            return null;
        }

        if (node.IsNull)
        {
            faults.Add(node, path, "must be text, but is empty");
            return null;
        }

        return Checked(node, path, faults);
    }

    public static string Checked(Node node, string path, FaultList faults)
    {
        // Neither Postgres nor an environment variable can hold it.
        if (node.Text.Contains('\0')) faults.Add(node, path, "must not contain the character U+0000");
        return node.Text;
    }
}
