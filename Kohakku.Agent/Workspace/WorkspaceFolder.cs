using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;

namespace Kohakku.Agent.Workspace;

/// <summary>The agent's working directory and the places in it that the protocol names.</summary>
internal sealed class WorkspaceFolder(string root)
{
    public string Root { get; } = root;
    public string BriefFile => Path.Combine(Root, "BRIEF.md");
    public string InputsFile => Path.Combine(Root, "inputs.json");
    public string Skills => Path.Combine(Root, "skills");
    public string Output => Path.Combine(Root, "output");
    public string ResultFile => Path.Combine(Output, "result.json");

    /// <exception cref="IOException">It can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">Nor by this user.</exception>
    public void LayOut(AgentBrief brief)
    {
        Directory.CreateDirectory(Root);
        Directory.CreateDirectory(Skills);
        Directory.CreateDirectory(Output);
        File.WriteAllText(BriefFile, brief.Brief);
        File.WriteAllText(InputsFile, brief.Inputs is { ValueKind: not JsonValueKind.Undefined } inputs ? inputs.GetRawText() : "{}");
    }
}
