using System.Net.Http.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Microsoft.Playwright;
using Npgsql;
using static Microsoft.Playwright.Assertions;

namespace Kohakku.Tests.Browser;

/// <summary>Without a dispatcher: what one would have reported is written as rows, and counted by the controller's own outbox.</summary>
public sealed class FailurePagesTests(BrowserFixture browser) : IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task A_failure_is_found_understood_steered_and_its_tasks_are_run_again()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        await FailTaskAsync(visit, "reading 17 rows\nerror: no such table: users");
        await FailTaskAsync(visit, "reading 4 rows\nerror: no such table: users");
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Failures" }).ClickAsync();
        var row = page.Locator("tbody tr", new() { HasText = "no such table: users" });
        await Expect(row).ToContainTextAsync("2 tasks");
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Open");
        await row.GetByRole(AriaRole.Link).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "error: no such table: users", Level = 1 })).ToBeVisibleAsync();
        await Expect(page.Locator("pre.block")).ToContainTextAsync("reading 4 rows");
        await Expect(page.GetByText("No success of shell is known from before.")).ToBeVisibleAsync();
        await Expect(page.Locator("tbody tr .chip")).ToHaveTextAsync(["Failed", "Failed"]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Acknowledge" }).ClickAsync();
        await Expect(page.Locator(".page-head .chip")).ToHaveTextAsync("Acknowledged");
        await page.GetByRole(AriaRole.Button, new() { Name = "Resolve" }).ClickAsync();
        await Expect(page.Locator(".page-head .chip")).ToHaveTextAsync("Resolved");

        await page.GetByRole(AriaRole.Button, new() { Name = "Run its tasks again" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Run again" }).ClickAsync();
        await Expect(page.GetByText("2 tasks run again.")).ToBeVisibleAsync();
        await Expect(page.Locator("tbody tr .chip")).ToHaveTextAsync(["Queued", "Queued"]);

        await FailTaskAsync(visit, "error: no such table: users");
        await Expect(page.GetByText("It came back")).ToBeVisibleAsync();
        await Expect(page.Locator(".page-head .chip")).ToHaveTextAsync("Open");
        visit.IsClean();

        await using var phone = await browser.VisitAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 390, Height = 844 } });
        await phone.LoginAsync();
        foreach (var path in (string[])["/failures", new Uri(page.Url).AbsolutePath])
        {
            await phone.GotoAsync(path);
            await Expect(phone.Page.GetByText("error: no such table: users").First).ToBeVisibleAsync();
            Assert.True(await phone.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 390, $"{path} is wider than the phone.");
        }

        phone.IsClean();
    }

    private static async Task FailTaskAsync(ConsoleVisit visit, string logTail)
    {
        using var client = visit.Controller.AdminClient();
        using var answer = await client.PostAsJsonAsync(
            "/api/v1/tasks", new SubmitTask { Brief = "Read the users", Agent = "shell" }, ContractsJson.Default.SubmitTask, TestContext.Current.CancellationToken);
        var task = (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.TaskView, TestContext.Current.CancellationToken))!.Id;
        await using var database = NpgsqlDataSource.Create(visit.Controller.Database);
        await using var command = database.CreateCommand(
            """
            WITH attempt AS (
                INSERT INTO attempts (id, task_id, number, generation, status, dispatcher_id, dispatcher_name, request_id, lease_until, applied_sequence, reason,
                    exit_code, message, log_tail, claimed_at, ended_at)
                VALUES (gen_random_uuid(), $1, 1, 1, 'failed', gen_random_uuid(), 'one', gen_random_uuid(), now(), 1, 'agentExit',
                    1, 'The agent ended with exit code 1.', $2, now(), now()) RETURNING id
            ), ended AS (
                UPDATE tasks SET status = 'failed', claimable = false, attempt_count = 1, current_attempt_id = (SELECT id FROM attempt), ended_at = now() WHERE id = $1
            )
            INSERT INTO outbox (kind, payload, created_at, due_at, tries) SELECT 'failure', jsonb_build_object('attemptIds', jsonb_agg(id)), now(), now(), 0 FROM attempt
            """);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = task });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = logTail });
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
