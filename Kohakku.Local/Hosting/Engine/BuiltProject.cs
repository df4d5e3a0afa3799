using Aspire.Hosting;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>
/// Where the build has put a project's program. The AppHost's own build has built it too, in its own configuration, so it
/// is looked for there first: <c>Kohakku.AppHost/bin/Release/net10.0</c> → <c>Kohakku.Controller/bin/Release/net10.0</c>.
/// </summary>
internal sealed record BuiltProject(string Program, IReadOnlyList<string> Arguments, string Directory)
{
    /// <exception cref="InvalidOperationException">It has not been built.</exception>
    public static BuiltProject Of(IProjectMetadata metadata)
    {
        var directory = Path.GetDirectoryName(metadata.ProjectPath) ?? "";
        var name = Path.GetFileNameWithoutExtension(metadata.ProjectPath);
        var own = AppContext.BaseDirectory.TrimEnd('/').Split('/');
        string[] sameBuild = own is [.., "bin", var configuration, var framework] ? [Path.Combine(directory, "bin", configuration, framework)] : [];
        var newest = System.IO.Directory.Exists(Path.Combine(directory, "bin"))
            ? System.IO.Directory.EnumerateFiles(Path.Combine(directory, "bin"), $"{name}.runtimeconfig.json", SearchOption.AllDirectories)
                .OrderByDescending(File.GetLastWriteTimeUtc).Select(file => Path.GetDirectoryName(file)!)
            : [];
        foreach (var output in sameBuild.Concat(newest))
        {
            var program = Path.Combine(output, name);
            // Run in the project's folder, as `dotnet run` does: there are its appsettings and, for development, its static files.
            if (File.Exists(program)) return new BuiltProject(program, [], directory);
            if (File.Exists(program + ".dll")) return new BuiltProject("dotnet", [program + ".dll"], directory);
        }
        throw new InvalidOperationException($"{name} is not built: run `dotnet build Kohakku.AppHost`.");
    }
}
