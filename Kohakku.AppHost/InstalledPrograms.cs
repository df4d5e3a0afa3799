namespace Kohakku.AppHost;

/// <summary>Programs that the operator has installed come before what stands in for them.</summary>
internal static class InstalledPrograms
{
    /// <returns>The full path of the first one on the PATH, or null.</returns>
    public static string? FindProgram(this IDistributedApplicationBuilder builder, string name) => (builder.Setting("PATH") ?? "")
        .Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(folder => Path.Combine(folder, name))
        .FirstOrDefault(File.Exists);
}
