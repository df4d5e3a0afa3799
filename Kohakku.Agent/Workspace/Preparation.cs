using Kohakku.Agent.Attempt;
using Kohakku.Agent.Protocol;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Workspace;

/// <summary>Makes the workspace ready for the agent: brief, inputs, skills, owner.</summary>
internal sealed class Preparation(DispatcherClient dispatcher, WorkspaceFolder workspace, RunAs? owner)
{
    /// <exception cref="RunnerFault">The workspace can't be written, or a skill can't be had.</exception>
    public async Task RunAsync(AgentBrief brief, CancellationToken cancellationToken)
    {
        try
        {
            workspace.LayOut(brief);
            foreach (var skill in brief.Skills) await UnpackAsync(skill.Name, cancellationToken);
            owner?.OwnTree(workspace.Root);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new RunnerFault($"The workspace {workspace.Root} could not be laid out: {fault.Message}", fault);
        }
    }

    private async Task UnpackAsync(string name, CancellationToken cancellationToken)
    {
        if (name.Length == 0 || name.Contains('/') || name is "." or "..")
        {
            throw new AgentFault($"The skill name '{name}' can't be a folder's name.", FailureReason.AgentError);
        }
        // In the workspace, for there may be no other place to write.
        var package = Path.Combine(workspace.Skills, $".{name}.zip");
        await dispatcher.GetSkillAsync(name, () => new FileStream(package, FileMode.Create, FileAccess.Write), cancellationToken);
        await using (var zip = File.OpenRead(package)) SkillPackage.Unpack(zip, name, Path.Combine(workspace.Skills, name));
        File.Delete(package);
    }
}
