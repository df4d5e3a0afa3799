namespace Kohakku.Workflows.Templates;

/// <summary>
/// What one rendering may take. Fluid bounds its steps and its recursion; what else a hostile template could grow (nesting that the parser would follow
/// down the stack, ranges, text that doubles in a loop) is bounded here. Its time is not: it runs in an activity, which has a timeout.
/// </summary>
internal static class TemplateLimits
{
    public const int MaxTemplateLength = 256 * 1024;
    /// <summary>Of what is written, in UTF-8.</summary>
    public const int MaxOutputBytes = 1024 * 1024;
    public const int MaxDepth = 64;
    public const int MaxSteps = 100_000;
    public const int MaxRecursion = 50;
    /// <summary>Of an array that a filter or a range makes.</summary>
    public const int MaxItems = 100_000;
    /// <summary>Characters that the filters of one rendering read and write.</summary>
    public const long MaxWork = 64 * 1024 * 1024;
    public const int MaxBlockDepth = 32;
    public const int MaxTagLength = 4096;
    public const int MaxTagBrackets = 64;
    public const int MaxTagFilters = 64;
}
