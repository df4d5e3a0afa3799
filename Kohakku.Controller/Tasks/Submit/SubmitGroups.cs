using System.Threading.Channels;
using Npgsql;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>
/// Writes tasks that arrive at the same time, one by one from many clients, in one statement and one commit: what arrives while a commit is
/// under way makes up the next. An idle controller writes each at once. A group that fails is written one by one, so that a task that
/// can't be written fails alone. May be called at once.
/// </summary>
internal sealed class SubmitGroups(NpgsqlDataSource database, TimeProvider time) : BackgroundService
{
    private const int LargestGroup = 256;
    /// <summary>Two, so that one gathers and sends while the other waits for the disk.</summary>
    private const int Writers = 2;

    private readonly Channel<Pending> _pending = Channel.CreateBounded<Pending>(new BoundedChannelOptions(8_192));

    /// <summary>Null when the task was not made: its key is taken, or its agent is gone.</summary>
    public async Task<MadeTask?> WriteAsync(NewTask task, CancellationToken cancellationToken)
    {
        var pending = new Pending(task);
        await _pending.Writer.WriteAsync(pending, cancellationToken);
        // Whoever goes away now finds its task made: it is in a group.
        return await pending.Made.Task.WaitAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => WriteGroupsAsync(stoppingToken)));

    private async Task WriteGroupsAsync(CancellationToken stoppingToken)
    {
        var group = new List<Pending>(LargestGroup);
        while (await _pending.Reader.WaitToReadAsync(stoppingToken))
        {
            while (group.Count < LargestGroup && _pending.Reader.TryRead(out var pending)) group.Add(pending);
            if (group.Count == 0) continue;
            await WriteGroupAsync(group, stoppingToken);
            group.Clear();
        }
    }

    private async Task WriteGroupAsync(List<Pending> group, CancellationToken stoppingToken)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(stoppingToken);
            var made = await TaskInsert.ExecuteAsync(connection, group.ConvertAll(pending => pending.Task), time.GetUtcNow(), stoppingToken);
            for (var i = 0; i < made.Length; i++) group[i].Made.TrySetResult(made[i]);
        }
        catch (PostgresException) when (group.Count > 1)
        {
            // The statement was rolled back as a whole.
            foreach (var pending in group) await WriteGroupAsync([pending], stoppingToken);
        }
#pragma warning disable CA1031 // Each of the callers gets the fault as its own; the loop serves the others.
        catch (Exception fault)
#pragma warning restore CA1031
        {
            foreach (var pending in group) pending.Made.TrySetException(fault);
        }
    }

    private sealed record Pending(NewTask Task)
    {
        public TaskCompletionSource<MadeTask?> Made { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
