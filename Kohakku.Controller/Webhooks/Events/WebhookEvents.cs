using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Webhooks.Events;

/// <summary>
/// Writes what happened for the webhooks that want to know, in the transaction in which it happened: what is committed is told, nothing else is. Where nobody
/// subscribes each is one look at an index. Call after what is told of was written.
/// </summary>
internal static class WebhookEvents
{
    /// <summary>Of tasks that ended at <paramref name="now"/>.</summary>
    public static void TellTasksEnded(this NpgsqlBatch batch, Guid[] tasks, DateTimeOffset now) => batch.Tell(WebhookEventSql.TasksEnded, tasks, now);

    /// <summary>Of runs, in so far as they ended at <paramref name="now"/>.</summary>
    public static void TellRunsEnded(this NpgsqlBatch batch, Guid[] runs, DateTimeOffset now) => batch.Tell(WebhookEventSql.RunsEnded, runs, now);

    public static void TellQuestionsOpened(this NpgsqlBatch batch, Guid[] questions, DateTimeOffset now) => batch.Tell(WebhookEventSql.QuestionsOpened, questions, now);

    /// <summary>Of failure groups that were seen for the first time, or again after they were resolved, by what was written at <paramref name="now"/>.</summary>
    /// <param name="made">The ids that new ones were given.</param>
    public static void TellFailures(this NpgsqlBatch batch, Guid projectId, string fingerprint, Guid made, DateTimeOffset now) =>
        batch.Add(WebhookEventSql.Failures).With(Guid.CreateVersion7(now)).With(now).With(projectId).With(fingerprint).With(made);

    /// <param name="digest">JSON.</param>
    public static void TellDigest(this NpgsqlBatch batch, Guid projectId, string digest, DateTimeOffset now) =>
        batch.Add(WebhookEventSql.Digest).With(Guid.CreateVersion7(now)).With(now).With(projectId).With(digest);

    /// <summary>Of outages that began or ended at <paramref name="now"/>; every project may hear of them.</summary>
    public static void TellServices(this NpgsqlBatch batch, string[] names, DateTimeOffset now) =>
        batch.Add(WebhookEventSql.Services).With(Ids(names.Length, now)).With(now).With(names);

    /// <summary>Of dispatchers that are unreachable or offline now; every project may hear of them.</summary>
    public static void TellDispatchers(this NpgsqlBatch batch, Guid[] dispatchers, DateTimeOffset now) => batch.Tell(WebhookEventSql.Dispatchers, dispatchers, now);

    private static void Tell(this NpgsqlBatch batch, string sql, Guid[] subjects, DateTimeOffset now)
    {
        if (subjects.Length > 0) batch.Add(sql).With(Ids(subjects.Length, now)).With(now).With(subjects);
    }

    private static Guid[] Ids(int count, DateTimeOffset now)
    {
        var ids = new Guid[count];
        for (var i = 0; i < count; i++) ids[i] = Guid.CreateVersion7(now);
        return ids;
    }
}
