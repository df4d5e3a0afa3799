using Kohakku.Contracts.Webhooks;
using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Kohakku.Controller.Webhooks;

/// <summary>Webhooks of a project by name. Deleting one forgets its deliveries.</summary>
internal sealed class WebhookRegistry(IDbContextFactory<ControllerDb> databases, WebhookSecrets secrets, TimeProvider time)
{
    /// <summary>For how long the secret before still signs, so that the receiver can change over without losing a delivery.</summary>
    public static readonly TimeSpan Overlap = TimeSpan.FromDays(1);

    private const string DisabledByHand = "It was disabled by hand.";

    /// <summary>Answers the secret when the webhook is new, else null. The request is checked already.</summary>
    public async Task<string?> PutAsync(Guid projectId, string name, PutWebhook request, CancellationToken cancellationToken)
    {
        while (true)
        {
            await using var database = await databases.CreateDbContextAsync(cancellationToken);
            await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
            var now = time.GetColumnNow();
            string? shown = null;
            if (await LockAsync(database, projectId, name, cancellationToken) is not { } webhook)
            {
                var id = Guid.CreateVersion7(now);
                (var kept, shown) = secrets.Make(id);
                webhook = database.Webhooks.Add(new Webhook { Id = id, ProjectId = projectId, Name = name, Url = "", Secret = kept, CreatedAt = now }).Entity;
            }

            webhook.Url = request.Url!;
            webhook.Events = [.. request.Events!.Distinct()];
            webhook.Enabled = request.Enabled ?? true;
            webhook.DisabledReason = webhook.Enabled ? null : DisabledByHand;
            webhook.UpdatedAt = now;
            try
            {
                await database.SaveChangesAsync(cancellationToken);
                await transaction.CommitAsync(cancellationToken);
                return shown;
            }
            catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
            {
                // Another put of the same name was faster: this one replaces it.
            }
        }
    }

    /// <summary>Another secret, which is answered; the one before signs too for <see cref="Overlap"/>. Null when there is no such webhook.</summary>
    public async Task<string?> RotateAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        await using var transaction = await database.Database.BeginTransactionAsync(cancellationToken);
        if (await LockAsync(database, projectId, name, cancellationToken) is not { } webhook) return null;
        var now = time.GetColumnNow();
        (webhook.PreviousSecret, webhook.PreviousUntil) = (webhook.Secret, now + Overlap);
        (webhook.Secret, var shown) = secrets.Make(webhook.Id);
        webhook.UpdatedAt = now;
        await database.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return shown;
    }

    /// <summary>False when there is none.</summary>
    public async Task<bool> DeleteAsync(Guid projectId, string name, CancellationToken cancellationToken)
    {
        await using var database = await databases.CreateDbContextAsync(cancellationToken);
        return await database.Webhooks.Where(webhook => webhook.ProjectId == projectId && webhook.Name == name).ExecuteDeleteAsync(cancellationToken) > 0;
    }

    private static Task<Webhook?> LockAsync(ControllerDb database, Guid projectId, string name, CancellationToken cancellationToken) => database.Webhooks
        .FromSql($"SELECT * FROM webhooks WHERE project_id = {projectId} AND name = {name} FOR NO KEY UPDATE").SingleOrDefaultAsync(cancellationToken);
}
