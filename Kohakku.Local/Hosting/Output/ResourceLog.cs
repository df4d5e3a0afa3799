namespace Kohakku.Local.Hosting.Output;

/// <summary>What a resource has written, in <c>logs/&lt;resource&gt;.log</c>: at 10 MiB a new one begins, and the one before is kept as <c>.log.1</c>.</summary>
internal sealed class ResourceLog : IDisposable
{
    private const long Largest = 10 * 1024 * 1024;
    private const int TailLines = 20;
    private readonly Lock gate = new();
    private StreamWriter file;
    private readonly Queue<string> tail = new(TailLines + 1);

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
            if (file.BaseStream.Position > Largest) Rotate();
            file.WriteLine(line);
            tail.Enqueue(line);
            if (tail.Count > TailLines) tail.Dequeue();
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

    /// <summary>A file that can't be moved away is written on: a resource must not end for its log.</summary>
    private void Rotate()
    {
        file.Dispose();
        try
        {
            File.Move(Path, Path + ".1", overwrite: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // It is tried again with the next line.
        }

        file = Open();
    }

    private StreamWriter Open() => new(new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) { AutoFlush = true };

    public void Dispose()
    {
        lock (gate) file.Dispose();
    }
}
