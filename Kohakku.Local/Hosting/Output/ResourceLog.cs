using System.Globalization;
using System.Text;

namespace Kohakku.Local.Hosting.Output;

/// <summary>
/// What a resource has written, in <c>logs/&lt;resource&gt;.log</c>: at 10 MiB a new one begins, and the one before is kept as <c>.log.1</c>.
/// A file that can't be written (the disk is full) costs lines, which are counted and told when it can be again, never the resource: nobody would take what
/// it writes, and it would wait for that.
/// </summary>
internal sealed class ResourceLog : IDisposable
{
    private const long Largest = 10 * 1024 * 1024;
    private const int TailLines = 20;
    private readonly Lock gate = new();
    private readonly Queue<string> tail = new(TailLines + 1);

    /// <summary>Null when it could not be opened; it is tried again with the next line.</summary>
    private FileStream? file;

    /// <summary>Lines that are not in the file.</summary>
    private long lost;

    /// <exception cref="IOException">The file can't be opened.</exception>
    public ResourceLog(string folder, string resource)
    {
        Path = System.IO.Path.Combine(folder, $"{resource}.log");
        file = Open();
    }

    public string Path { get; }

    public void Write(string line)
    {
        lock (gate)
        {
            tail.Enqueue(line);
            if (tail.Count > TailLines) tail.Dequeue();
            try
            {
                if (file?.Position > Largest) Rotate();
                file ??= Open();
                // On a line of its own: what was written last may have been cut.
                if (lost > 0) Append(string.Create(CultureInfo.InvariantCulture, $"\n[kohakku] {lost} lines are lost: they could not be written."));
                lost = 0;
                Append(line);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                lost++;
            }
        }
    }

    /// <summary>A new process begins: what the one before said does not explain how this one ends.</summary>
    public void Begin()
    {
        lock (gate) tail.Clear();
    }

    /// <summary>The last lines of the process, to say why it failed.</summary>
    public IReadOnlyList<string> Tail()
    {
        lock (gate) return [.. tail];
    }

    public void Dispose()
    {
        lock (gate) file?.Dispose();
    }

    private void Append(string line) => file!.Write(Encoding.UTF8.GetBytes($"{line}\n"));

    /// <summary>A file that can't be moved away is written on: a resource must not end for its log.</summary>
    private void Rotate()
    {
        file!.Dispose();
        file = null;
        try
        {
            File.Move(Path, Path + ".1", overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // It is tried again with the next line.
        }
    }

    /// <summary>Without a buffer: what could not be written must not be in the way of what comes after.</summary>
    private FileStream Open() => new(Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
}
