using System.Net;
using Kohakku.Contracts.Signing;
using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Triggers.Hooks;

/// <summary>
/// Finds the trigger of a call and lets in who knows its secret. A name that there is none of costs the same work, with a secret that nobody knows, and gets the
/// same answer, so that nobody learns which names there are. Who is refused leaves a line in the log and a count, but no row: strangers must not fill the database.
/// </summary>
internal sealed partial class HookGate(
    IDbContextFactory<ControllerDb> databases, TriggerSecrets secrets, TriggerMetrics metrics, TimeProvider time, ILogger<HookGate> logger)
{
    private readonly HookTrigger _decoy = Decoy(secrets);

    /// <summary>Null: it is not let in.</summary>
    public async Task<HookTrigger?> OpenAsync(string name, IHeaderDictionary headers, byte[] body, IPAddress? from, CancellationToken cancellationToken)
    {
        var found = TriggerRules.IsName(name) ? await FindAsync(name, cancellationToken) : null;
        var trigger = found ?? _decoy;
        var secret = secrets.Open(trigger.Id, trigger.SealedSecret);
        var verdict = secret is null ? SignatureVerdict.Malformed : HookVerification.Verify(trigger.Verify, secret, headers, body, time.GetUtcNow());
        if (found is not null && verdict == SignatureVerdict.Valid) return found;

        metrics.Refused();
        if (found is null) LogUnknown(from);
        else if (secret is null) LogSealed(found.Name);
        else LogRefused(found.Name, verdict, from);
        return null;
    }

    private async Task<HookTrigger?> FindAsync(string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        var row = await (
            from trigger in database.Triggers.AsNoTracking()
            join project in database.Projects on trigger.ProjectId equals project.Id
            where trigger.Name == name
            select new { Trigger = trigger, Project = project.Name }).SingleOrDefaultAsync(cancellationToken);
        return row is null ? null : HookTrigger.Of(row.Trigger, row.Project);
    }

    private static HookTrigger Decoy(TriggerSecrets secrets)
    {
        var id = Guid.NewGuid();
        return new HookTrigger(id, Guid.Empty, "", "", TriggerVerification.Github, secrets.Seal(id, Guid.NewGuid().ToString()), null, null, new WorkTarget());
    }

    [LoggerMessage(3702, LogLevel.Warning, "Refused a call of the hook {Trigger} from {Address}: {Verdict}.")]
    private partial void LogRefused(string trigger, SignatureVerdict verdict, IPAddress? address);

    [LoggerMessage(3703, LogLevel.Warning, "Refused a call of a hook that there is not, from {Address}.")]
    private partial void LogUnknown(IPAddress? address);

    [LoggerMessage(3704, LogLevel.Error, "The secret of the trigger {Trigger} was sealed with another KOHAKKU_SECRET_KEY; all its calls are refused until it is given anew.")]
    private partial void LogSealed(string trigger);
}
