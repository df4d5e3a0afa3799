namespace Kohakku.Controller.Tasks.Submit;

/// <summary>A task without a title is called by the first line of its brief.</summary>
internal static class BriefTitle
{
    public static string Of(string brief)
    {
        foreach (var line in brief.AsSpan().EnumerateLines())
        {
            // "## Bump dependencies" is a heading in Markdown, "#!/bin/sh" is none.
            var text = line.Trim();
            if (text.TrimStart('#') is [' ', ..] heading) text = heading.Trim();
            if (text.IsEmpty) continue;
            if (text.Length > ContentRules.MaxTitleLength)
                text = text[..(char.IsHighSurrogate(text[ContentRules.MaxTitleLength - 1]) ? ContentRules.MaxTitleLength - 1 : ContentRules.MaxTitleLength)];
            return string.Create(text.Length, text, (title, source) =>
            {
                for (var i = 0; i < source.Length; i++) title[i] = char.IsControl(source[i]) ? ' ' : source[i];
            });
        }

        return "Task";
    }
}
