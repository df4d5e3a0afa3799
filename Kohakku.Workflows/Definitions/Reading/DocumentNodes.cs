using System.Text;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>A document as nodes, whichever of the two languages it is written in.</summary>
internal static class DocumentNodes
{
    public const int MaxBytes = 256 * 1024;
    public const int MaxDepth = 64;

    /// <summary>Null: it can't be read at all, and the faults say why.</summary>
    public static Node? Read(string document, FaultList faults)
    {
        if (Encoding.UTF8.GetByteCount(document) > MaxBytes)
        {
            faults.Add(1, 1, "", $"must be at most {MaxBytes / 1024} KiB");
            return null;
        }

        var text = document.StartsWith('\uFEFF') ? document[1..] : document;
        // JSON is YAML but for corners (tabs, long keys, halves of a surrogate pair) in which YAML's reader is stricter. A document that begins like
        // JSON is read as JSON; what is only YAML in braces, like `{ name: x }`, fails there and is read as YAML.
        if (!text.AsSpan().TrimStart().StartsWith('{')) return YamlNodes.Read(text, faults);
        var asJson = new FaultList();
        if (JsonNodes.Read(text, asJson) is { } node) return node;
        var asYaml = new FaultList();
        if (YamlNodes.Read(text, asYaml) is { } yaml) return yaml;
        foreach (var fault in (LooksLikeJson(text) ? asJson : asYaml).InOrder) faults.Add(fault.Line, fault.Column, fault.Path, fault.Message);
        return null;
    }

    private static bool LooksLikeJson(string text) => text.AsSpan().TrimStart()[1..].TrimStart() is [] or ['"' or '}', ..];
}
