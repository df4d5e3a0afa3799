using System.Security.Cryptography;
using System.Text;
using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Tasks;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Identity;

namespace Kohakku.Controller.Triggers.Hooks;

/// <summary>A trigger as its hook needs it.</summary>
internal sealed record HookTrigger(
    Guid Id, Guid ProjectId, string Project, string Name, TriggerVerification Verify, byte[] SealedSecret, string? Filter, string? DedupeKey, WorkTarget Target)
{
    /// <summary>The name stands in the timelines of what it begins.</summary>
    public Caller Caller => new(ProjectId, Project, Role.Operator, $"trigger {Name}");

    /// <summary>The same for each delivery with the same key. By its hash, since a key may be of any length.</summary>
    public string IdempotencyKeyOf(string dedupeKey) => $"trigger\n{Id:N}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dedupeKey)))}";

    public static HookTrigger Of(Trigger trigger, string project) => new(
        trigger.Id, trigger.ProjectId, project, trigger.Name, trigger.Verify, trigger.SealedSecret, trigger.Filter, trigger.DedupeKey, trigger.Target);
}
