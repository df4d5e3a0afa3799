namespace Kohakku.Dispatcher.Logs;

/// <summary>Cuts the end of a text out of its bytes without breaking a character.</summary>
internal static class Utf8Tail
{
    /// <summary>The last bytes of <paramref name="text"/>, at most <paramref name="limit"/>, beginning with a whole character; with a whole line where there is one.</summary>
    public static ReadOnlySpan<byte> Of(ReadOnlySpan<byte> text, int limit)
    {
        if (text.Length <= limit) return text;
        var tail = text[^limit..];
        // Continuation bytes are 10xxxxxx; a character has at most three of them.
        var start = 0;
        while (start < Math.Min(4, tail.Length) && (tail[start] & 0xC0) == 0x80) start++;
        tail = tail[start..];
        var line = tail.IndexOf((byte)'\n');
        return line >= 0 && line < tail.Length - 1 ? tail[(line + 1)..] : tail;
    }
}
