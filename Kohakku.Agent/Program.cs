using System.Reflection;
using Kohakku.Agent.Attempt;
using Kohakku.Agent.Processes;

switch (args)
{
    case ["exec"]:
        return await RunnerProcess.RunAsync();
    case [Trampoline.Verb]:
        return Trampoline.Run();
    case [RunnerInstall.Verb, var path]:
        return RunnerInstall.Run(path);
    case ["--version"]:
        var version = typeof(Trampoline).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        Terminal.Write(1, $"kohakku-agent {version}\n");
        return 0;
    default:
        Terminal.Write(2, "usage: kohakku-agent exec | install PATH | --version\nRuns the attempt that its environment (KOHAKKU_TOKEN, …) names.\n");
        return ExitCodes.Usage;
}
