using System.Globalization;
using System.Text;
using Kohakku.Dispatcher.Attempts;
using Microsoft.Win32.SafeHandles;

namespace Kohakku.Dispatcher.Logs;

/// <summary>
/// One attempt's log: a local file that only grows, redacted as it is written. Readers follow it by <see cref="Changed"/>. It takes
/// <see cref="Limit"/> bytes and says when it cuts; a full disk costs text, which is said too, never the attempt. Safe for any thread.
/// </summary>
internal sealed class AttemptLog : IDisposable
{
    /// <summary>The most that is kept of one attempt.</summary>
    public const long Limit = 64L * 1024 * 1024;

    private readonly Lock gate = new();
    private readonly string path;
    private readonly long limit;
    private readonly SecretRedactor redactor;
    private readonly Dictionary<string, StreamRedactor> streams = [];
    private SafeFileHandle? file;
    private long length;
    private long lost;
    private bool limited;
    private bool deleted;
    private volatile bool completed;

    public AttemptLog(string path, SecretRedactor redactor, long limit = Limit)
    {
        (this.path, this.redactor, this.limit) = (path, redactor, limit);
        length = File.Exists(path) ? new FileInfo(path).Length : 0;
        limited = length >= limit;
    }

    /// <summary>Bytes written so far; they do not change any more.</summary>
    public long Length => Volatile.Read(ref length);

    /// <summary>True when the end is written: readers that have all are done.</summary>
    public bool IsCompleted => completed;

    /// <summary>Raised when there is more, or when it is completed.</summary>
    public Signal Changed { get; } = new();

    /// <returns>True when the limit is reached: what is sent from now on is thrown away.</returns>
    public bool Append(string stream, string text)
    {
        lock (gate)
        {
            if (completed || limited) return limited;
            if (!streams.TryGetValue(stream, out var redacting)) streams[stream] = redacting = new StreamRedactor(redactor);
            Write(redacting.Append(text));
        }
        Changed.Raise();
        return limited;
    }

    /// <summary>Writes what was held back, and ends it.</summary>
    public void Complete()
    {
        lock (gate)
        {
            if (completed) return;
            if (!limited)
            {
                foreach (var stream in streams.Values) Write(stream.Flush());
            }
            completed = true;
        }
        Changed.Raise();
    }

    /// <summary>Reads what is there from <paramref name="offset"/> on.</summary>
    /// <returns>0 when there is nothing yet.</returns>
    public int Read(Span<byte> buffer, long offset)
    {
        lock (gate)
        {
            if (offset >= length || deleted) return 0;
            return RandomAccess.Read(Open(), buffer[..(int)Math.Min(buffer.Length, length - offset)], offset);
        }
    }

    /// <summary>The end of the log as text, at most <paramref name="bytes"/> of UTF-8.</summary>
    public string Tail(int bytes)
    {
        // One character more than asked for, so that the cut is seen.
        var buffer = new byte[Math.Min(Length, bytes + 4)];
        var read = Read(buffer, Math.Max(0, Length - buffer.Length));
        return Encoding.UTF8.GetString(Utf8Tail.Of(buffer.AsSpan(0, read), bytes));
    }

    /// <summary>Where the last <paramref name="lines"/> lines begin.</summary>
    public long OffsetOfLastLines(int lines)
    {
        var buffer = new byte[64 * 1024];
        var end = Length;
        // A line's end at the very end ends the last line, it does not begin another.
        var seen = 0;
        for (var position = end; position > 0;)
        {
            var start = Math.Max(0, position - buffer.Length);
            var read = Read(buffer.AsSpan(0, (int)(position - start)), start);
            for (var i = read - 1; i >= 0; i--)
            {
                if (buffer[i] != '\n' || start + i == end - 1) continue;
                if (++seen == lines) return start + i + 1;
            }
            position = start;
        }
        return 0;
    }

    /// <summary>Readers that have not read all of it by now find it in the storage.</summary>
    public void Delete()
    {
        lock (gate) deleted = true;
        Dispose();
        File.Delete(path);
    }

    public void Dispose()
    {
        lock (gate)
        {
            completed = true;
            file?.Dispose();
            file = null;
        }
        Changed.Raise();
    }

    private void Write(string text)
    {
        if (text.Length == 0) return;
        var bytes = Encoding.UTF8.GetBytes(text);
        if (length + bytes.Length <= limit)
        {
            WriteBytes(bytes);
            return;
        }
        // As much as fits, up to a whole character.
        var fits = (int)Math.Max(0, limit - length);
        while (fits > 0 && (bytes[fits] & 0xC0) == 0x80) fits--;
        WriteBytes(bytes.AsSpan(0, fits));
        limited = true;
        WriteBytes(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"\n[kohakku] The log has reached its limit of {limit / (1024 * 1024)} MiB: what follows is cut.\n")));
    }

    private void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (lost > 0)
            {
                var note = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"\n[kohakku] {lost} bytes of log are lost: the disk was full.\n"));
                Add(note);
                lost = 0;
            }
            Add(bytes);
        }
        catch (IOException)
        {
            lost += bytes.Length;
        }
    }

    private void Add(ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(Open(), bytes, length);
            Volatile.Write(ref length, length + bytes.Length);
        }
        catch (IOException)
        {
            // Half of it may be written: the next goes over it, and readers stop at the length.
            file?.Dispose();
            file = null;
            throw;
        }
    }

    private SafeFileHandle Open()
    {
        if (file is not null) return file;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    }
}
