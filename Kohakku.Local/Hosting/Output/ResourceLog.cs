namespace Kohakku.Local.Hosting.Output;

/// <summary>All that a resource has written, in <c>logs/&lt;resource&gt;.log</c>; the one before is kept as <c>.log.1</c> when it grew large.</summary>
internal sealed class ResourceLog : IDisposable
{
    private const long LargestAtStart = 10 * 1024 * 1024;
    private const int TailLines = 20;
    private readonly Lock gate = new();
    private readonly StreamWriter file;
    private readonly Queue<string> tail = new(TailLines + 1);

    public ResourceLog(string folder, string resource)
    {
        Path = System.IO.Path.Combine(folder, $"{resource}.log");
        if (File.Exists(Path) && new FileInfo(Path).Length > LargestAtStart) File.Move(Path, Path + ".1", overwrite: true);
        file = new StreamWriter(new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) { AutoFlush = true };
    }

    public string Path { get; }

    public void Write(string line)
    {
        lock (gate)
        {
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

    public void Dispose()
    {
        lock (gate) file.Dispose();
    }
}
