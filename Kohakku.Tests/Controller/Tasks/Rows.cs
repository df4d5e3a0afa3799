using Kohakku.Controller.Data;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.Tests.Controller.Tasks;

/// <summary>Does to the database what dispatching does, under the same locks.</summary>
internal static class Rows
{
    public static async Task<Guid> AddDispatcherAsync(RunningController controller, string url)
    {
        var id = Guid.NewGuid();
        await controller.ExecuteAsync(
            """
            INSERT INTO dispatchers (id, instance_id, name, session, status, draining, url, version, runtime, labels, capacity, free_slots, registered_at, last_heartbeat_at)
            VALUES ($1, gen_random_uuid(), $1::text, gen_random_uuid(), 'online', false, $2, '1', 'process', '{}', 1, 1, now(), now())
            """,
            id, url);
        return id;
    }

    public static async Task<Guid> AddAttemptAsync(RunningController controller, Guid taskId, int number, string status, Guid? dispatcherId = null)
    {
        var id = Guid.NewGuid();
        await controller.ExecuteAsync(
            """
            INSERT INTO attempts (id, task_id, number, generation, status, dispatcher_id, dispatcher_name, request_id, lease_until, applied_sequence, claimed_at, ended_at)
            VALUES ($1, $2, $3, 1, $4, $5, 'default', gen_random_uuid(), now(), 0, now(), CASE WHEN $4 = 'running' THEN NULL ELSE now() END)
            """,
            id, taskId, number, status, dispatcherId ?? Guid.NewGuid());
        return id;
    }

    public static Task EndAttemptAsync(RunningController controller, Guid id) =>
        controller.ExecuteAsync("UPDATE attempts SET status = 'succeeded', ended_at = now() WHERE id = $1", id);

    /// <summary>Adds an entry to the timeline and, where one is given, sets the state; then tells the followers.</summary>
    public static async Task AppendAsync(RunningController controller, Guid taskId, string type, string? status = null)
    {
        await controller.ExecuteAsync(
            """
            WITH task AS (
                UPDATE tasks SET event_sequence = event_sequence + 1, status = coalesce(nullif($3, ''), status) WHERE id = $1 RETURNING event_sequence)
            INSERT INTO task_events (task_id, id, at, type) SELECT $1, event_sequence, now(), $2 FROM task
            """,
            taskId, type, status ?? "");
        controller.Services.GetRequiredService<ChangeFeed>().PublishTasks([taskId]);
    }
}
