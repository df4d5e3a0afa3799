using System.Runtime.CompilerServices;

namespace Kohakku.Tests.Fixtures;

/// <summary>
/// What a test needs of the machine. Where it lacks, the test is skipped and says why; where everything was installed on
/// purpose (<c>KOHAKKU_TESTS_MUST_RUN=1</c>, as <c>.ci/run</c> sets it) it fails instead, so that a green run has run all.
/// </summary>
internal static class Requirement
{
    private static readonly bool MustRun = Environment.GetEnvironmentVariable("KOHAKKU_TESTS_MUST_RUN") == "1";

    public static void Met(bool isMet, string reason, [CallerMemberName] string test = "")
    {
        if (isMet) return;
        if (MustRun) Assert.Fail($"{test} must run here, but {reason}.");
        Assert.Skip(reason);
    }

    /// <summary>A program on the PATH, or in one of Debian's places that are not on every PATH.</summary>
    public static void Program(string name, [CallerMemberName] string test = "") =>
        Met(Find(name) is not null, $"{name} is not installed (eng/prerequisites installs it)", test);

    /// <summary>A Docker engine that answers.</summary>
    public static void DockerEngine([CallerMemberName] string test = "") =>
        Met(File.Exists("/var/run/docker.sock") && DockerAnswers(), "no Docker engine answers at /var/run/docker.sock", test);

    /// <summary>The full path of a program, or null.</summary>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Concat(["/usr/bin", "/usr/sbin", "/usr/local/bin"])
            .Concat(Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").Select(v => $"{v}/bin") : [])
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);

    private static bool DockerAnswers()
    {
        try
        {
            using var socket = new System.Net.Sockets.Socket(
                System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
            socket.Connect(new System.Net.Sockets.UnixDomainSocketEndPoint("/var/run/docker.sock"));
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }
}
