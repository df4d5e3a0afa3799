namespace Kohakku.Local.Hosting.Processes;

/// <summary>Finds programs of this machine, also where they are not on every user's PATH.</summary>
internal static class Programs
{
    private static readonly string[] Folders =
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries),
        "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin",
    ];

    /// <returns>The full path, or null.</returns>
    public static string? Find(string name) =>
        name.Contains('/') ? (File.Exists(name) ? name : null) : Folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
