namespace Kohakku.Local.Hosting.Engine;

/// <summary>
/// A file that one process holds locked. The kernel lets go of it when the process ends, however it ends; that the file is
/// there says nothing. Who holds it stands in a second file, as a locked one can't be read.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream file;
    private readonly string holderFile;

    private FolderLock(FileStream file, string holderFile)
    {
        this.file = file;
        this.holderFile = holderFile;
    }

    /// <returns>Null when another holds it; <paramref name="holder"/> then says who.</returns>
    public static FolderLock? TryTake(string path, string holderFile, out string holder)
    {
        try
        {
            var taken = new FolderLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None), holderFile);
            holder = $"process {Environment.ProcessId}";
            File.WriteAllText(holderFile, holder);
            return taken;
        }
        catch (IOException) when (File.Exists(path))
        {
            holder = File.Exists(holderFile) ? File.ReadAllText(holderFile) : "another process";
            return null;
        }
    }

    public void Dispose()
    {
        File.Delete(holderFile);
        file.Dispose();
    }
}
