using Kohakku.Agent.Attempt;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Processes;

/// <summary>Finds the program of a command as a shell would, and says as clearly as one when it can't.</summary>
internal static class CommandLookup
{
    public const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private const int MayExecute = 1; // X_OK
    private const int NotFoundCode = 127;
    private const int NotExecutableCode = 126;

    /// <param name="searchPath">The agent's own PATH.</param>
    /// <param name="folder">What a relative path is relative to.</param>
    /// <returns>An absolute path.</returns>
    /// <exception cref="AgentFault">There is no such program.</exception>
    public static string Find(IReadOnlyList<string> command, string searchPath, string folder)
    {
        if (command.Count == 0 || command[0].Length == 0)
        {
            throw new AgentFault("The agent has no command: give it one with PUT /api/v1/agents/{name}.", FailureReason.AgentError);
        }
        var name = command[0];
        if (name.Contains('/'))
        {
            var path = Path.GetFullPath(Path.Combine(folder, name));
            if (IsProgram(path)) return path;
            throw File.Exists(path) || Directory.Exists(path) ? NotExecutable(name) : NotFound($"The command '{name}' was not found: there is no file {path}.");
        }
        string? unusable = null;
        foreach (var entry in searchPath.Split(':'))
        {
            var path = Path.GetFullPath(Path.Combine(folder, entry.Length == 0 ? "." : entry, name));
            if (IsProgram(path)) return path;
            if (File.Exists(path)) unusable ??= path;
        }
        throw unusable is not null ? NotExecutable(unusable) : NotFound($"The command '{name}' was not found in the agent's PATH ({searchPath}).");
    }

    /// <summary>What it means that the kernel refused a program that is there.</summary>
    public static RunnerFault Refused(string program, int error) => error switch
    {
        LibC.NotFound => NotFound(
            $"The command '{program}' is there, but what it needs to start is not: the interpreter its first line names, or the loader it was linked for."),
        AccessDenied => NotExecutable(program),
        NotAProgram => new AgentFault($"The command '{program}' is no program for this machine: wrong architecture, or a script without a #! line.",
            FailureReason.AgentExit, NotExecutableCode),
        TooLong => new AgentFault("The command and its environment are larger than the system takes (about 2 MB): pass large data in inputs.",
            FailureReason.AgentExit, NotExecutableCode),
        _ => new RunnerFault($"The command '{program}' could not be started: {LibC.Message(error)}."),
    };

    private const int TooLong = 7; // E2BIG
    private const int NotAProgram = 8; // ENOEXEC
    private const int AccessDenied = 13; // EACCES

    private static bool IsProgram(string path) => File.Exists(path) && LibC.Access(path, MayExecute) == 0;

    private static AgentFault NotFound(string message) => new(message, FailureReason.AgentExit, NotFoundCode);

    private static AgentFault NotExecutable(string name) =>
        new($"The command '{name}' can't be executed: it is a folder, or its file lacks the permission.", FailureReason.AgentExit, NotExecutableCode);
}
