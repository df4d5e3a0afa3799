using Kohakku.Agent.Attempt;
using Kohakku.Agent.Workspace;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Processes;

/// <summary>The agent's environment: the container's without what is the runner's, then the task's, then what the protocol promises.</summary>
internal static class AgentVariables
{
    /// <param name="own">The runner's own environment.</param>
    /// <param name="url">Where the agent reaches the dispatcher.</param>
    public static Dictionary<string, string> Build(
        IEnumerable<KeyValuePair<string, string>> own, AgentBrief brief, WorkspaceFolder workspace, Uri url, string token)
    {
        var variables = new Dictionary<string, string>();
        foreach (var (name, value) in own)
        {
            if (!RunnerSettings.PrivateKeys.Contains(name)) variables[name] = value;
        }
        foreach (var (name, value) in brief.Env.Concat(brief.Secrets))
        {
            if (name.Length == 0 || name.Contains('=') || name.Contains('\0') || value.Contains('\0'))
            {
                throw new AgentFault($"The environment variable '{name}' can't be set: names take no '=', and neither name nor value a NUL.", FailureReason.AgentError);
            }
            variables[name] = value;
        }
        if (!variables.ContainsKey("PATH")) variables["PATH"] = CommandLookup.DefaultPath;
        // An image without a user database has no home but the root, which is read-only to most.
        if (!variables.TryGetValue("HOME", out var home) || home is "" or "/") variables["HOME"] = workspace.Root;
        variables["PWD"] = workspace.Root;
        variables[AgentEnvironment.Url] = url.ToString().TrimEnd('/');
        variables[AgentEnvironment.Token] = token;
        variables[AgentEnvironment.TaskId] = brief.TaskId.ToString();
        variables[AgentEnvironment.AttemptId] = brief.AttemptId.ToString();
        variables[AgentEnvironment.Workspace] = workspace.Root;
        variables[AgentEnvironment.Brief] = workspace.BriefFile;
        variables[AgentEnvironment.Inputs] = workspace.InputsFile;
        variables[AgentEnvironment.Skills] = workspace.Skills;
        variables[AgentEnvironment.Output] = workspace.Output;
        return variables;
    }
}
