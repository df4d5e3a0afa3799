using System.Buffers;
using System.Text;

namespace Kohakku.Agent.Logs;

/// <summary>
/// Cuts one stream of bytes into texts of whole lines. A line longer than <see cref="LongestPiece"/> is cut into pieces, never
/// within a character; what is no UTF-8 becomes U+FFFD. The pieces together are the stream, nothing more and nothing less.
/// Not safe for several threads.
/// </summary>
internal sealed class LineSplitter
{
    public const int LongestPiece = 16 * 1024;
    private readonly ArrayBufferWriter<byte> unfinished = new();

    /// <summary>The beginning of a line is held back until the rest comes.</summary>
    public bool HoldsText => unfinished.WrittenCount > 0;

    /// <param name="emit">Called with each text that is ready, in order; none is longer than the bytes given and held.</param>
    public void Append(ReadOnlySpan<byte> bytes, Action<string> emit)
    {
        var end = bytes.LastIndexOf((byte)'\n') + 1;
        if (end > 0)
        {
            if (HoldsText)
            {
                var first = bytes.IndexOf((byte)'\n') + 1;
                unfinished.Write(bytes[..first]);
                Emit(unfinished.WrittenSpan, emit);
                unfinished.ResetWrittenCount();
                Emit(bytes[first..end], emit);
            }
            else
            {
                Emit(bytes[..end], emit);
            }
        }
        unfinished.Write(bytes[end..]);
        CutLongLine(emit);
    }

    /// <summary>Emits what is held back, as it is.</summary>
    public void Flush(Action<string> emit)
    {
        Emit(unfinished.WrittenSpan, emit);
        unfinished.ResetWrittenCount();
    }

    /// <summary>Emits all of what is held back but an unfinished character, so that a prompt is seen while its line is unfinished.</summary>
    public void FlushCharacters(Action<string> emit)
    {
        var held = unfinished.WrittenSpan;
        var whole = WholeCharacters(held, held.Length);
        // What stays a fragment is no character but rubbish, or waits for its end, of at most 3 bytes.
        if (whole > 0) EmitFirst(whole, emit);
    }

    private void CutLongLine(Action<string> emit)
    {
        while (unfinished.WrittenCount > LongestPiece)
        {
            EmitFirst(WholeCharacters(unfinished.WrittenSpan, LongestPiece), emit);
        }
    }

    private void EmitFirst(int count, Action<string> emit)
    {
        Emit(unfinished.WrittenSpan[..count], emit);
        var rest = unfinished.WrittenSpan[count..].ToArray();
        unfinished.ResetWrittenCount();
        unfinished.Write(rest);
    }

    private static void Emit(ReadOnlySpan<byte> bytes, Action<string> emit)
    {
        while (bytes.Length > 0)
        {
            var length = Math.Min(bytes.Length, LongestPiece);
            if (length < bytes.Length)
            {
                var lineEnd = bytes[..length].LastIndexOf((byte)'\n') + 1;
                length = lineEnd > 0 ? lineEnd : WholeCharacters(bytes, length);
            }
            emit(Encoding.UTF8.GetString(bytes[..length]));
            bytes = bytes[length..];
        }
    }

    /// <summary>The largest count up to <paramref name="limit"/> that does not end within a character; where there is no character, the limit.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> bytes, int limit)
    {
        // 0xxxxxxx is a character, 110xxxxx 1110xxxx 11110xxx begin one of 2, 3 or 4 bytes, 10xxxxxx go on.
        for (var back = 1; back <= 3 && back <= limit; back++)
        {
            var lead = bytes[limit - back];
            if ((lead & 0xC0) == 0x80) continue;
            var size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
            return size > back ? limit - back : limit;
        }
        return limit;
    }
}
