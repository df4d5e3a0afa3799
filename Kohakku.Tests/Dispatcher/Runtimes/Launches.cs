using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Tests.Dispatcher.Runtimes;

/// <summary>
/// Launches for a runner that stands in for the real one: it is a shell script that runs what it finds in <c>KOHAKKU_TOKEN</c>,
/// so that each test says what happens inside.
/// </summary>
internal static class Launches
{
    public static AgentLaunch Of(
        string script, string? image = null, ResourceLimits? resources = null, NetworkMode network = NetworkMode.None, PullPolicy pullPolicy = PullPolicy.Missing) => new(
        Guid.CreateVersion7(),
        Guid.CreateVersion7(),
        new OrderedAgent(
            "test", AgentMode.Exec, image, ["true"], new Dictionary<string, string>(), pullPolicy, new NetworkPolicy { Mode = network }, HeartbeatTimeoutSeconds: 60),
        resources ?? new ResourceLimits(),
        Token: script,
        new Uri("http://127.0.0.1:8080"),
        TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

    /// <summary>Makes the stand-in.</summary>
    /// <param name="shell">What runs it.</param>
    public static string WriteRunner(string folder, string shell, string prelude = "")
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "kohakku-agent");
        // Unlike any other, so that no two tests share a volume.
        File.WriteAllText(path, $"#!{shell}\n# {Guid.NewGuid()}\n{prelude}\neval \"$KOHAKKU_TOKEN\"\n");
        File.SetUnixFileMode(path, (UnixFileMode)0b111_101_101);
        return path;
    }
}
