using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Kohakku.Contracts.Storage;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>Takes briefs and inputs that are too large for a row to object storage: before the row is written, so that no row points to nothing.</summary>
internal sealed partial class TaskPayloads(ObjectStorage storage, ILogger<TaskPayloads> logger)
{
    private const int LargestInRow = 64 * 1024;
    private const int AtOnce = 8;

    /// <summary>Replaces those whose parts were stored by what then is to be written.</summary>
    public async Task StoreLargeAsync(NewTask[] tasks, CancellationToken cancellationToken) => await Parallel.ForAsync(
        0, tasks.Length, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
        async (i, token) =>
        {
            if (IsLarge(tasks[i])) tasks[i] = await StoreLargeAsync(tasks[i], token);
        });

    private async Task<NewTask> StoreLargeAsync(NewTask task, CancellationToken cancellationToken)
    {
        var brief = task.Request.Brief!;
        if (Encoding.UTF8.GetByteCount(brief) > LargestInRow)
        {
            await storage.PutAsync(ObjectKeys.Brief(task.Id), Encoding.UTF8.GetBytes(brief), "text/markdown; charset=utf-8", cancellationToken);
            task = task with { BriefStored = true };
        }

        if (task.Inputs is { } inputs && Raw(inputs).Length > LargestInRow)
        {
            await storage.PutAsync(ObjectKeys.Inputs(task.Id), Raw(inputs).ToArray(), "application/json", cancellationToken);
            task = task with { InputsStored = true };
        }

        return task;
    }

    /// <summary>Takes back what was stored for tasks that were not made. What stays behind by a fault is only unused.</summary>
    public async Task DropAsync(IEnumerable<NewTask> tasks, CancellationToken cancellationToken)
    {
        string[] keys =
        [
            .. tasks.Where(task => task.BriefStored).Select(task => ObjectKeys.Brief(task.Id)),
            .. tasks.Where(task => task.InputsStored).Select(task => ObjectKeys.Inputs(task.Id)),
        ];
        if (keys.Length == 0) return;
        try
        {
            await storage.DeleteAsync(keys, cancellationToken);
        }
        catch (ObjectStorageException fault)
        {
            LogLeftBehind(keys[0], fault.Message);
        }
    }

    /// <summary>May be large: no UTF-16 unit takes more than three bytes.</summary>
    private static bool IsLarge(NewTask task) =>
        task.Request.Brief!.Length > LargestInRow / 3 || (task.Inputs is { } inputs && Raw(inputs).Length > LargestInRow);

    private static ReadOnlySpan<byte> Raw(JsonElement element) => JsonMarshal.GetRawUtf8Value(element);

    [LoggerMessage(2001, LogLevel.Warning, "{Key} is of a task that was not made, and could not be deleted: {Fault}")]
    private partial void LogLeftBehind(string key, string fault);
}
