using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Kohakku.Tests.Browser;

public sealed partial class ConsoleTests(BrowserFixture browser) : IClassFixture<BrowserFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_link_leads_in_and_a_task_is_submitted_seen_and_cancelled()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "New task" }).First.ClickAsync();
        await Expect(page).ToHaveTitleAsync("New task · Kohakku");
        await page.GetByLabel("Title").FillAsync("Made by hand");
        await page.GetByLabel("Brief").FillAsync("echo hello\nsleep 1\n");
        await page.GetByLabel("Inputs (a JSON object)").FillAsync("""{ "depth": 1 }""");
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Made by hand" })).ToBeVisibleAsync();
        await Expect(page.Locator(".facts .chip")).ToHaveTextAsync("Queued");
        await Expect(page.Locator(".timeline li")).ToContainTextAsync(["Submitted", "Queued"]);
        await Expect(page.Locator(".brief").First).ToContainTextAsync("echo hello\nsleep 1");

        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel the task" }).ClickAsync();
        await Expect(page.Locator(".facts .chip")).ToHaveTextAsync("Canceled");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Run again" })).ToBeVisibleAsync();
        visit.IsClean();
    }

    [Fact]
    public async Task What_is_wrong_in_the_form_is_said_at_its_field_and_nothing_is_submitted()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        await visit.GotoAsync("/tasks/new");
        await page.GetByLabel("Title").FillAsync("Never made");
        await page.GetByLabel("Brief").FillAsync("echo");
        await page.GetByText("More", new() { Exact = true }).ClickAsync();
        await page.GetByLabel("Priority").FillAsync("1000");
        await page.GetByLabel("Labels").FillAsync("gpu=true, zone");
        await page.GetByLabel("Inputs (a JSON object)").FillAsync("{ nothing");
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();
        await Expect(page.Locator(".mud-input-helper-text.mud-input-error")).ToContainTextAsync(["is not valid JSON at line 1", "'zone' is not name=value"]);

        await page.GetByLabel("Labels").FillAsync("gpu=true");
        await page.GetByLabel("Inputs (a JSON object)").FillAsync("[1]");
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();
        await Expect(page.Locator(".mud-input-helper-text.mud-input-error").GetByText("object")).ToBeVisibleAsync();
        await Expect(page.Locator(".mud-input-helper-text.mud-input-error").GetByText("100")).ToBeVisibleAsync();
        Assert.Equal(0L, await visit.Controller.QueryAsync<long>("SELECT count(*) FROM tasks WHERE title = 'Never made'"));
        visit.IsClean();
    }

    [Fact]
    public async Task Pages_follow_what_another_controller_changes()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        var title = $"Followed {Guid.NewGuid():N}";
        var task = await SubmitAsync(visit, title);
        // The list learns of it without being asked again.
        var row = page.Locator("tr", new() { HasText = title });
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Queued");
        await row.GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.Locator(".facts .chip")).ToHaveTextAsync("Queued");

        await ChangeAsync(visit, task, "running", "attempt.progress", """{ "percent": 40, "message": "Counting" }""");
        await Expect(page.Locator(".facts .chip")).ToHaveTextAsync("Running");
        await Expect(page.Locator(".progress")).ToContainTextAsync("40 % Counting");
        await Expect(page.Locator(".timeline li").Last).ToContainTextAsync("Progress: 40 %");
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Tasks" }).First.ClickAsync();
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Running");
        await ChangeAsync(visit, task, "succeeded", "task.ended", """{ "status": "succeeded" }""");
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Succeeded");
        visit.IsClean();
    }

    [Fact]
    public async Task A_list_is_narrowed_by_title_and_state_and_the_address_remembers_it()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        var mark = Guid.NewGuid().ToString("N");
        await SubmitAsync(visit, $"Apples {mark}");
        await SubmitAsync(visit, $"Pears {mark}");
        await page.GetByLabel("Search titles").FillAsync($"pears {mark}");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await Expect(page).ToHaveURLAsync(QueryInAddress());
        await page.ReloadAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await page.GetByLabel("Search titles").FillAsync("no such thing at all");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No task fits" })).ToBeVisibleAsync();
        visit.IsClean();
    }

    [Fact]
    public async Task Colours_follow_the_system_until_chosen_and_the_choice_is_remembered()
    {
        await using var visit = await browser.VisitAsync(new BrowserNewContextOptions { ColorScheme = ColorScheme.Dark });
        var page = visit.Page;
        await visit.LoginAsync();
        await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "light");
        await page.GetByRole(AriaRole.Button, new() { Name = "Colours" }).ClickAsync();
        await page.GetByText("Dark", new() { Exact = true }).ClickAsync();
        await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await page.ReloadAsync();
        await Expect(page.Locator("html")).ToHaveAttributeAsync("data-theme", "dark");
        await Expect(page.Locator(".top")).ToHaveCSSAsync("background-color", "rgb(27, 31, 36)");
        visit.IsClean();
    }

    [Theory]
    [InlineData("/", "Tasks")]
    [InlineData("/tasks/new", "New task")]
    [InlineData("/questions", "Inbox")]
    [InlineData("/failures", "Failures")]
    [InlineData("/schedules", "Schedules")]
    [InlineData("/schedules/new", "New schedule")]
    [InlineData("/triggers", "Triggers")]
    [InlineData("/triggers/new", "New trigger")]
    [InlineData("/webhooks", "Webhooks")]
    [InlineData("/webhooks/new", "New webhook")]
    [InlineData("/status", "Status")]
    [InlineData("/agents", "Agents")]
    [InlineData("/dispatchers", "Dispatchers")]
    [InlineData("/tokens", "Tokens")]
    public async Task Every_page_fits_a_phone_and_asks_no_other_host(string path, string title)
    {
        await using var visit = await browser.VisitAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 390, Height = 844 } });
        await visit.LoginAsync();
        await visit.GotoAsync(path);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = title, Level = 1 })).ToBeVisibleAsync();
        await Expect(visit.Page).ToHaveTitleAsync($"{title} · Kohakku");
        Assert.True(await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 390, $"{path} is wider than the phone.");
        visit.IsClean();
    }

    [Fact]
    public async Task An_address_that_leads_nowhere_gets_a_page_that_says_so()
    {
        await using var visit = await browser.VisitAsync();
        await visit.LoginAsync();
        var answer = await visit.Page.GotoAsync(new Uri(visit.Controller.Url, "/nothing/here").ToString());
        Assert.Equal((int)HttpStatusCode.NotFound, answer!.Status);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "There is nothing here" })).ToBeVisibleAsync();
        await visit.GotoAsync($"/tasks/{Guid.CreateVersion7()}");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "There is nothing here" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_token_made_in_the_console_opens_the_api_and_revoked_no_more()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        await visit.GotoAsync("/tokens");
        var name = $"t{Guid.NewGuid():N}";
        await page.GetByLabel("Name").FillAsync(name);
        await page.GetByLabel("Name").PressAsync("Enter");
        var token = await page.Locator(".notice.done pre").InnerTextAsync();
        using var client = visit.Controller.Client(token);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/tasks", Cancel)).StatusCode);
        await page.GetByRole(AriaRole.Button, new() { Name = $"Revoke {name}" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Revoke" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = $"Revoke {name}" })).ToHaveCountAsync(0);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/v1/tasks", Cancel)).StatusCode);
        visit.IsClean();
    }

    [Fact]
    public async Task Logging_out_ends_the_session()
    {
        await using var visit = await browser.VisitAsync();
        await visit.LoginAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Log out" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Log in to Kohakku" })).ToBeVisibleAsync();
        await visit.GotoAsync("/agents");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Log in to Kohakku" })).ToBeVisibleAsync();
        visit.IsClean();
    }

    [Fact]
    public async Task The_api_can_be_browsed_without_asking_another_host()
    {
        await using var visit = await browser.VisitAsync();
        await visit.GotoAsync("/docs");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Kohakku", Exact = true })).ToBeVisibleAsync();
        visit.IsClean();
    }

    private static async Task<TaskView> SubmitAsync(ConsoleVisit visit, string title)
    {
        using var client = visit.Controller.AdminClient();
        using var answer = await client.PostAsJsonAsync(
            "/api/v1/tasks", new SubmitTask { Agent = "shell", Brief = "echo", Title = title }, ContractsJson.Default.SubmitTask, Cancel);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.TaskView, Cancel))!;
    }

    /// <summary>As another controller of the same database would do it.</summary>
    private static Task<object?> ChangeAsync(ConsoleVisit visit, TaskView task, string status, string type, string data) => visit.Controller.QueryAsync<object>(
        string.Create(CultureInfo.InvariantCulture, $"""
        BEGIN;
        UPDATE tasks SET status = '{status}', event_sequence = event_sequence + 1, started_at = coalesce(started_at, now()),
          ended_at = CASE WHEN '{status}' = 'succeeded' THEN now() END WHERE id = '{task.Id}';
        INSERT INTO task_events (task_id, id, at, type, data) SELECT id, event_sequence, now(), '{type}', '{data}' FROM tasks WHERE id = '{task.Id}';
        COMMIT;
        SELECT pg_notify('kohakku_tasks', 'another {task.Id:N}');
        """));

    [GeneratedRegex(@"\?q=pears")]
    private static partial Regex QueryInAddress();
}
