namespace Kohakku.Controller.Triggers.Hooks;

/// <summary>Strangers' text as it is kept: PostgreSQL holds no NUL, and nobody wants all of it.</summary>
internal static class Texts
{
    public static string Cut(string text, int length)
    {
        if (text.Length > length) text = $"{text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)]}…";
        return text.Replace('\0', '\ufffd');
    }
}
