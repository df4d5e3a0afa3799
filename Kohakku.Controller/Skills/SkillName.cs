using System.Text.RegularExpressions;

namespace Kohakku.Controller.Skills;

/// <summary>What the Agent Skills standard takes as a name.</summary>
internal static partial class SkillName
{
    public const string Rule = "must be 1 to 64 of a-z, 0-9 and single hyphens, not at an edge";

    public static bool IsValid(string name) => name.Length <= 64 && Form().IsMatch(name);

    [GeneratedRegex(@"^[a-z0-9]+(-[a-z0-9]+)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
