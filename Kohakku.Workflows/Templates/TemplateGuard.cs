namespace Kohakku.Workflows.Templates;

/// <summary>
/// Refuses what is nested too deep before the parser sees it: Fluid's parser and its tree recurse, and a stack overflow would take the process with it.
/// It counts rather than understands (a bracket inside a string counts), so that it can only be too strict.
/// </summary>
internal static class TemplateGuard
{
    private static readonly string[] Blocks = ["if", "unless", "case", "for", "capture", "comment", "raw"];

    /// <summary>What is wrong, or null.</summary>
    public static string? Fault(string template)
    {
        if (template.Length > TemplateLimits.MaxTemplateLength) return $"must be at most {TemplateLimits.MaxTemplateLength} characters";
        var depth = 0;
        var at = 0;
        while (NextTag(template, at) is var start and >= 0)
        {
            var end = EndOfTag(template, start);
            if (TagFault(template.AsSpan(start, end - start)) is { } fault) return fault;
            if (template[start + 1] == '%') depth += BlockStep(template.AsSpan(start + 2, end - start - 2));
            if (depth > TemplateLimits.MaxBlockDepth) return $"must not nest more than {TemplateLimits.MaxBlockDepth} blocks";
            at = end;
        }

        return null;
    }

    private static int NextTag(string template, int from)
    {
        for (var at = from; (at = template.IndexOf('{', at)) >= 0 && at + 1 < template.Length; at++)
        {
            if (template[at + 1] is '{' or '%') return at;
        }

        return -1;
    }

    /// <summary>Behind its end mark; a quoted one doesn't count. Without an end: the end of the text, which the parser will refuse.</summary>
    private static int EndOfTag(string template, int start)
    {
        var mark = template[start + 1] == '{' ? '}' : '%';
        var quote = '\0';
        for (var at = start + 2; at < template.Length; at++)
        {
            var character = template[at];
            if (quote != '\0')
            {
                if (character == '\\') at++;
                else if (character == quote) quote = '\0';
            }
            else if (character is '"' or '\'') quote = character;
            else if (character == mark && at + 1 < template.Length && template[at + 1] == '}') return at + 2;
        }

        return template.Length;
    }

    private static string? TagFault(ReadOnlySpan<char> tag)
    {
        if (tag.Length > TemplateLimits.MaxTagLength) return $"must not have an expression of more than {TemplateLimits.MaxTagLength} characters, nor an open one";
        if (tag.Count('(') + tag.Count('[') > TemplateLimits.MaxTagBrackets) return $"must not have more than {TemplateLimits.MaxTagBrackets} brackets in one expression";
        return tag.Count('|') > TemplateLimits.MaxTagFilters ? $"must not have more than {TemplateLimits.MaxTagFilters} filters in one expression" : null;
    }

    private static int BlockStep(ReadOnlySpan<char> tag)
    {
        var name = tag.TrimStart("- \t\r\n");
        var length = name.IndexOfAnyExceptInRange('a', 'z');
        if (length >= 0) name = name[..length];
        if (name.StartsWith("end", StringComparison.Ordinal)) return -1;
        foreach (var block in Blocks)
        {
            if (name.SequenceEqual(block)) return 1;
        }

        return 0;
    }
}
