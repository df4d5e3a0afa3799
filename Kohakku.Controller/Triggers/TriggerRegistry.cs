using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Data;
using Kohakku.ServiceDefaults;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Controller.Triggers;

/// <summary>What came of putting a trigger.</summary>
internal abstract record PutTriggerOutcome
{
    private PutTriggerOutcome()
    {
    }

    public sealed record Put(bool IsNew) : PutTriggerOutcome;

    public sealed record Refused(Faults Faults) : PutTriggerOutcome;

    /// <summary>Another project has a trigger of the name.</summary>
    public sealed record Taken(string Why) : PutTriggerOutcome;
}

/// <summary>Triggers by name. Deleting one forgets its deliveries; the tasks and runs that it began stay.</summary>
internal sealed class TriggerRegistry(IDbContextFactory<ControllerDb> databases, TriggerSecrets secrets, TimeProvider time)
{
    /// <summary>Checks the request, and makes or replaces the trigger; one that is replaced keeps its secret where none is given.</summary>
    public async Task<PutTriggerOutcome> PutAsync(Guid projectId, string name, PutTrigger request, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
            var trigger = TriggerRules.IsName(name)
                ? await database.Triggers.FromSql($"SELECT * FROM triggers WHERE name = {name} FOR NO KEY UPDATE").SingleOrDefaultAsync(cancellationToken)
                : null;
            var (isNew, now, faults) = (trigger is null, time.GetColumnNow(), new Faults());
            TriggerRules.Check(name, request, isNew, now, faults);
            if (trigger is not null && trigger.ProjectId != projectId)
                return new PutTriggerOutcome.Taken($"Another project has a trigger '{name}'. A hook's address has nothing but the name, so that it is unique over the whole installation; choose another.");
            if (trigger is not null && request is { Secret: null, Verify: { } verify }) CheckKept(trigger, verify, faults);
            if (faults.Any) return new PutTriggerOutcome.Refused(faults);
            if (trigger is null)
            {
                var id = Guid.CreateVersion7(now);
                trigger = database.Triggers.Add(new Trigger { Id = id, ProjectId = projectId, Name = name, SealedSecret = [], Target = request.Target!, CreatedAt = now }).Entity;
            }

            Apply(trigger, request, now);
            try
            {
                await database.SaveChangesAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return new PutTriggerOutcome.Put(isNew);
            }
            catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                // Another put of the same name was faster: this one replaces it, or is told that it is taken.
            }
        }
    }

    /// <summary>False when there is none.</summary>
    public async Task<bool> DeleteAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Triggers.Where(trigger => trigger.ProjectId == projectId && trigger.Name == name).ExecuteDeleteAsync(cancellationToken) > 0;
    }

    public async Task<Trigger?> FindAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Triggers.AsNoTracking().SingleOrDefaultAsync(trigger => trigger.ProjectId == projectId && trigger.Name == name, cancellationToken);
    }

    /// <summary>A secret that is kept must still be of use: the verification may be another than when it was given.</summary>
    private void CheckKept(Trigger trigger, TriggerVerification verify, Faults faults)
    {
        if (secrets.Open(trigger.Id, trigger.SealedSecret) is not { } kept) faults.Add("secret", "must be given anew: the one of before was sealed with another KOHAKKU_SECRET_KEY");
        else if (TriggerRules.SecretFault(verify, kept) is { } rule) faults.Add("secret", $"must be given anew for this verification: it {rule}");
    }

    private void Apply(Trigger trigger, PutTrigger request, DateTimeOffset now)
    {
        trigger.Verify = request.Verify!.Value;
        if (request.Secret is { } secret) trigger.SealedSecret = secrets.Seal(trigger.Id, secret);
        trigger.Filter = request.Filter;
        trigger.DedupeKey = request.DedupeKey;
        trigger.Target = request.Target!;
        trigger.UpdatedAt = now;
    }
}
