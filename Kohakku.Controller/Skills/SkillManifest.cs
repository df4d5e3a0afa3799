using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Kohakku.Controller.Skills;

/// <summary>
/// The head of a <c>SKILL.md</c>, by the Agent Skills standard:
/// <code>
/// ---
/// name: git
/// description: Works with git repositories. Use when …
/// license: MIT
/// ---
/// </code>
/// </summary>
internal sealed record SkillManifest(string Description)
{
    private const int MaxDescription = 1024;
    private const int MaxCompatibility = 500;
    private const int MaxDepth = 32;

    /// <summary>Adds what is wrong to <paramref name="faults"/>; then the answer is null.</summary>
    /// <param name="name">What the skill is called, which its head must say too.</param>
    public static SkillManifest? Parse(byte[] file, string name, ICollection<string> faults)
    {
        var before = faults.Count;
        if (Head(file, faults) is not { } head) return null;
        if (Text(head, "name", faults) is not { } given) faults.Add("SKILL.md must have a name");
        else if (given != name) faults.Add($"SKILL.md's name is '{given}', it must be '{name}' as in the address");
        var description = Text(head, "description", faults);
        if (string.IsNullOrWhiteSpace(description)) faults.Add("SKILL.md must have a description");
        else if (description.Length > MaxDescription) faults.Add($"SKILL.md's description must be at most {MaxDescription} characters");
        if (Text(head, "compatibility", faults) is { Length: > MaxCompatibility }) faults.Add($"SKILL.md's compatibility must be at most {MaxCompatibility} characters");
        Text(head, "license", faults);
        Text(head, "allowed-tools", faults);
        CheckMetadata(head, faults);
        return faults.Count == before ? new SkillManifest(description!) : null;
    }

    private static YamlMappingNode? Head(byte[] file, ICollection<string> faults)
    {
        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(file).TrimStart('\uFEFF').ReplaceLineEndings("\n");
            var end = text.IndexOf("\n---\n", StringComparison.Ordinal);
            if (end < 0 && text.EndsWith("\n---", StringComparison.Ordinal)) end = text.Length - 4;
            if (!text.StartsWith("---\n", StringComparison.Ordinal) || end < 0)
            {
                faults.Add("SKILL.md must begin with a head between two lines of ---");
                return null;
            }

            var head = text[4..(end + 1)];
            if (IsTooDeep(head)) faults.Add("SKILL.md's head must not be nested that deep");
            else if (Root(head) is YamlMappingNode mapping) return mapping;
            else faults.Add("SKILL.md's head must be a YAML mapping");
        }
        catch (YamlException fault)
        {
            faults.Add($"SKILL.md's head is not YAML: line {fault.Start.Line + 1}, {fault.InnerException?.Message ?? fault.Message}");
        }
        catch (DecoderFallbackException)
        {
            faults.Add("SKILL.md must be UTF-8");
        }

        return null;
    }

    private static YamlNode? Root(string head)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(head));
        return yaml.Documents is [var only] ? only.RootNode : null;
    }

    // Nodes are loaded by recursion: a head of brackets only would end the process.
    private static bool IsTooDeep(string head)
    {
        var parser = new Parser(new StringReader(head));
        for (var depth = 0; parser.MoveNext();)
        {
            depth += parser.Current?.NestingIncrease ?? 0;
            if (depth > MaxDepth) return true;
        }

        return false;
    }

    private static string? Text(YamlMappingNode head, string key, ICollection<string> faults)
    {
        if (!head.Children.TryGetValue(new YamlScalarNode(key), out var node)) return null;
        if (node is YamlScalarNode { Value: { } text } && !text.Contains('\0')) return text;
        faults.Add($"SKILL.md's {key} must be text");
        return null;
    }

    private static void CheckMetadata(YamlMappingNode head, ICollection<string> faults)
    {
        if (!head.Children.TryGetValue(new YamlScalarNode("metadata"), out var node)) return;
        if (node is not YamlMappingNode metadata || metadata.Children.Any(pair => pair is not { Key: YamlScalarNode, Value: YamlScalarNode }))
            faults.Add("SKILL.md's metadata must be a mapping of text to text");
    }
}
