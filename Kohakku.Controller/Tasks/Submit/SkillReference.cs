using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Kohakku.Controller.Skills;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>A skill as a task asks for it: <c>git</c> (the newest version) or <c>git@2</c>.</summary>
internal sealed record SkillReference(string Name, int? Version)
{
    public const string Rule = "must be name or name@version, like git or git@2";

    public static bool TryParse(string? text, [NotNullWhen(true)] out SkillReference? reference)
    {
        reference = null;
        if (text is null) return false;
        var at = text.IndexOf('@');
        var name = at < 0 ? text : text[..at];
        if (!SkillName.IsValid(name)) return false;
        if (at < 0)
        {
            reference = new SkillReference(name, null);
            return true;
        }

        if (!int.TryParse(text.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var version) || version < 1) return false;
        reference = new SkillReference(name, version);
        return true;
    }
}
