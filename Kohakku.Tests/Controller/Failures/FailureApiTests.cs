using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Controller.Dispatching;
using Kohakku.Tests.Controller.Identity;
using Kohakku.Tests.Controller.Tasks;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Controller.Failures;

/// <summary>Failures as a client of the API sees them.</summary>
public sealed class FailureApiTests(PostgresFixture postgres, IdentityFixture identity) : IClassFixture<IdentityFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_lists_acknowledges_retries_and_resolves()
    {
        await using var queue = await QueueFixture.CreateAsync(postgres);
        var tasks = (await queue.SubmitAsync(2)).Order(Comparer<Guid>.Create((left, right) => string.CompareOrdinal($"{left}", $"{right}"))).ToArray();
        var dispatcher = await queue.DispatcherAsync();
        foreach (var order in await queue.ClaimAsync(dispatcher, slots: 2))
            await queue.ReportAsync(dispatcher, order.AttemptId, (1, "ended", QueueFixture.Failed("agentError")));
        while (await queue.Outbox.RunOnceAsync(Cancel) > 0)
        {
        }

        await using var host = await DispatchingHost.StartAsync(queue);
        var list = await host.Client.GetFromJsonAsync<JsonElement>("/api/v1/failures?status=open,acknowledged&kind=agent&agent=shell", Cancel);
        var group = Assert.Single(list.GetProperty("items").EnumerateArray());
        Assert.Equal(JsonValueKind.Null, list.GetProperty("nextCursor").ValueKind);
        Assert.Equal(
            ("agentError", "shell", "It broke.", 2, "open", "oh", 1),
            (group.GetProperty("reason").GetString(), group.GetProperty("agent").GetString(), group.GetProperty("title").GetString(), group.GetProperty("count").GetInt32(),
                group.GetProperty("status").GetString(), group.GetProperty("example").GetProperty("logTail").GetString(), group.GetProperty("example").GetProperty("attempt").GetInt32()));
        var path = $"/api/v1/failures/{group.GetProperty("id").GetGuid()}";

        using var acknowledged = await host.Client.PostAsync($"{path}/acknowledge", null, Cancel);
        Assert.Equal("a tester", (await ReadAsync(acknowledged)).Body.GetProperty("acknowledgedBy").GetString());
        using var twice = await host.Client.PostAsync($"{path}/acknowledge", null, Cancel);
        (await ReadAsync(twice)).IsProblem(409);

        var failed = await host.Client.GetFromJsonAsync($"{path}/tasks?limit=1", ContractsJson.Default.PageFailedTaskView, Cancel);
        Assert.Equal((tasks[1], TaskState.Failed), (failed!.Items[0].TaskId, failed.Items[0].Status));
        failed = await host.Client.GetFromJsonAsync($"{path}/tasks?limit=1&cursor={failed.NextCursor}", ContractsJson.Default.PageFailedTaskView, Cancel);
        Assert.Equal((tasks[0], null), (failed!.Items[0].TaskId, failed.NextCursor));

        using var retried = await host.Client.PostAsync($"{path}/retry", null, Cancel);
        Assert.Equal(2, (await retried.Content.ReadFromJsonAsync(ContractsJson.Default.RetriedTasks, Cancel))!.Retried);
        using var resolved = await host.Client.PostAsync($"{path}/resolve", null, Cancel);
        Assert.Equal("resolved", (await ReadAsync(resolved)).Body.GetProperty("status").GetString());
        var one = await host.Client.GetFromJsonAsync<JsonElement>(path, Cancel);
        Assert.Equal((24, 30, "resolved"), (one.GetProperty("trend").GetArrayLength(), one.GetProperty("days").GetArrayLength(), one.GetProperty("status").GetString()));
        Assert.Empty((await host.Client.GetFromJsonAsync("/api/v1/failures?status=open", ContractsJson.Default.PageFailureGroupView, Cancel))!.Items);
    }

    [Theory]
    [InlineData("?status=Open", "status")]
    [InlineData("?status=open,mended", "status")]
    [InlineData("?kind=human", "kind")]
    [InlineData("?kind=agent,infrastructure", "kind")]
    [InlineData("?agent=a%00b", "agent")]
    [InlineData("?limit=0", "limit")]
    [InlineData("?cursor=nonsense", "cursor")]
    [InlineData("?cursor=OTk5OTk5OTk5OTk5OTk5OTk5OTk6MDAw", "cursor")]
    [InlineData("/01990000-0000-7000-8000-000000000000/tasks?cursor=nonsense", "cursor")]
    public async Task What_can_not_be_read_is_named(string query, string field)
    {
        using var client = (await identity.ControllerAsync()).AdminClient();
        using var answer = await client.GetAsync($"/api/v1/failures{query}", Cancel);
        (await ReadAsync(answer)).IsProblem(400, field);
    }

    [Fact]
    public async Task What_is_not_there_is_404_and_a_viewer_only_reads()
    {
        var controller = await identity.ControllerAsync();
        using var admin = controller.AdminClient();
        var path = $"/api/v1/failures/{Guid.CreateVersion7()}";
        foreach (var read in (string[])[path, $"{path}/tasks"])
            using (var answer = await admin.GetAsync(read, Cancel)) (await ReadAsync(answer)).IsProblem(404);
        using var made = await admin.PostAsJsonAsync("/api/v1/tokens", new CreateToken { Name = "reader", Role = Role.Viewer }, ContractsJson.Default.CreateToken, Cancel);
        using var viewer = controller.Client((await made.Content.ReadFromJsonAsync(ContractsJson.Default.CreatedToken, Cancel))!.Token);
        Assert.Empty((await viewer.GetFromJsonAsync("/api/v1/failures", ContractsJson.Default.PageFailureGroupView, Cancel))!.Items);
        foreach (var act in (string[])["acknowledge", "resolve", "retry"])
        {
            using var absent = await admin.PostAsync($"{path}/{act}", null, Cancel);
            (await ReadAsync(absent)).IsProblem(404);
            using var forbidden = await viewer.PostAsync($"{path}/{act}", null, Cancel);
            Assert.Equal(HttpStatusCode.Forbidden, forbidden.StatusCode);
        }
    }

    private static Task<Answer> ReadAsync(HttpResponseMessage answer) => Answer.ReadAsync(answer, Cancel);
}
