using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Aspire.Hosting.Testing;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.EndToEnd;
using Kohakku.Tests.Fixtures;
using Npgsql;

namespace Kohakku.Tests.Faults;

/// <summary>The disk of an installation (its database, objects, workspaces and logs) has no room left for a while.</summary>
public sealed class FullDiskTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Submits_are_refused_while_it_is_full_and_all_that_was_accepted_ends_once_when_it_is_not()
    {
        Requirement.Met(Environment.IsPrivilegedProcess, "only root mounts a disk that can be filled");
        Requirement.Program("initdb");
        using var disk = new SmallDisk(megabytes: 420);
        await using var kohakku = await RunningKohakku.StartAsync("process", data: Directory.CreateDirectory(Path.Combine(disk.Path, "data")));
        var go = Path.Combine(disk.Path, "go");
        var running = await kohakku.SubmitAsync(new SubmitTask { Agent = "shell", Brief = $"echo begun\nuntil [ -e {go} ]; do sleep 0.1; done\necho over\n" });
        await kohakku.WhenAgentRunsAsync(running.Id);
        await Eventually.Async(async () => (await kohakku.LogAsync(running.Id)).Contains("begun", StringComparison.Ordinal));

        List<Guid> accepted = [running.Id];
        // Until room that the database had made before is used up.
        await Eventually.Async(async () =>
        {
            disk.Fill();
            return await RefusedAsync(kohakku, accepted);
        });
        await EndDatabaseAsync(kohakku, disk);
        disk.Free();
        await File.WriteAllTextAsync(go, "", Cancel);

        await Eventually.Async(async () => !await RefusedAsync(kohakku, accepted), TimeSpan.FromMinutes(2));
        foreach (var id in accepted)
        {
            var ended = await kohakku.EndOfAsync(id, TimeSpan.FromMinutes(2));
            Assert.True(ended.Status == TaskState.Succeeded, $"{ended.Status}: {ended.Failure?.Message}");
            Assert.Single(ended.Attempts);
            Assert.Single(await kohakku.TimelineAsync(id), entry => entry.Type == "task.ended");
        }
        Assert.Equal(accepted.Count, (await kohakku.Api.GetFromJsonAsync("/api/v1/tasks?limit=200", ContractsJson.Default.PageTaskView, Cancel))!.Items.Count);
        Assert.Contains("over", await kohakku.LogAsync(running.Id), StringComparison.Ordinal);
        // What the controller says is taken again, or it would wait for that some day: it tells of a dispatcher that registers.
        await kohakku.KillAsync("dispatcher");
        await Eventually.Async(() => File.ReadAllText(Path.Combine(kohakku.Data, "logs", "controller.log")).Contains("could not be written", StringComparison.Ordinal));
    }

    /// <summary>Without room for its write-ahead log PostgreSQL ends, and at its next start ends at once.</summary>
    private static async Task EndDatabaseAsync(RunningKohakku kohakku, SmallDisk disk)
    {
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1", Port = kohakku.App.GetEndpoint("postgres").Port, Username = "postgres", Database = "postgres", Pooling = false,
            Password = (await File.ReadAllTextAsync(Path.Combine(kohakku.Data, "keys", "postgres-password"), Cancel)).Trim(),
        };
        await Eventually.Async(async () =>
        {
            disk.Fill();
            try
            {
                await using var database = new NpgsqlConnection(connection.ConnectionString);
                await database.OpenAsync(Cancel);
                await using var command = new NpgsqlCommand("SELECT pg_switch_wal()", database);
                await command.ExecuteNonQueryAsync(Cancel);
                return false;
            }
            catch (NpgsqlException)
            {
                return kohakku.Output.Split("postgres ").Count(line => line.Contains("starting it again", StringComparison.Ordinal)) > 1;
            }
        });
    }

    /// <summary>Whether the database has no room for a task; one that it has room for is added.</summary>
    private static async Task<bool> RefusedAsync(RunningKohakku kohakku, List<Guid> accepted)
    {
        var task = new SubmitTask { Agent = "noop", Brief = Convert.ToBase64String(RandomNumberGenerator.GetBytes(6_000)) };
        using var answer = await kohakku.Api.PostAsJsonAsync("/api/v1/tasks", task, ContractsJson.Default.SubmitTask, Cancel);
        if (answer.StatusCode == HttpStatusCode.Created)
        {
            accepted.Add((await answer.Content.ReadFromJsonAsync(ContractsJson.Default.TaskView, Cancel))!.Id);
            return false;
        }
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
        return true;
    }
}
