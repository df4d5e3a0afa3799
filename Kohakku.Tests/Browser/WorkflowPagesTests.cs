using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Kohakku.Tests.Browser;

/// <summary>Without Temporal: what is written, checked and started; a run stays pending, until the test says otherwise as a worker would.</summary>
public sealed partial class WorkflowPagesTests(BrowserFixture browser) : IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task A_workflow_is_written_with_its_faults_shown_saved_checked_and_started()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Workflows" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "New workflow" }).ClickAsync();
        await Expect(page.Locator(".graph .step")).ToHaveCountAsync(3);
        var name = NewName();

        await WriteAsync(page, Document(name, "needs: [frist]"));
        await Expect(page.Locator(".faults li")).ToContainTextAsync(["steps[1].needs"]);
        await Expect(page.GetByText("1 fault", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(page.Locator(".squiggly-error")).ToHaveCountAsync(1);
        await page.Locator(".faults button").ClickAsync();
        // The click goes to the server and comes back as a call to the editor.
        await page.WaitForFunctionAsync("monaco.editor.getEditors()[0].getPosition().lineNumber === 9");

        await WriteAsync(page, Document(name, "needs: [first]"));
        await Expect(page.GetByText("No faults")).ToBeVisibleAsync();
        await Expect(page.Locator(".graph .step .name")).ToHaveTextAsync(["first", "second", "tell"]);
        await page.GetByRole(AriaRole.Button, new() { Name = "Save", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Uri(visit.Controller.Url, $"/workflows/{name}").ToString());
        await Expect(page.Locator(".facts")).ToContainTextAsync("version 1");

        await page.GetByLabel("count (integer)").FillAsync("many");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check" }).ClickAsync();
        await Expect(page.Locator(".mud-input-helper-text.mud-input-error")).ToHaveTextAsync("must be an integer");
        await page.GetByLabel("count (integer)").FillAsync("4");
        await page.GetByRole(AriaRole.Button, new() { Name = "Check" }).ClickAsync();
        await Expect(page.Locator(".plan")).ToContainTextAsync("1 task at most.");
        await page.Locator(".plan summary").First.ClickAsync();
        await Expect(page.Locator(".plan dl").First).ToContainTextAsync("Count to 4");

        await WriteAsync(page, Document(name, "needs: []"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Save as version 2" }).ClickAsync();
        await Expect(page.Locator(".versions tr")).ToHaveCountAsync(2);
        await page.GetByRole(AriaRole.Link, new() { Name = "Version 1" }).ClickAsync();
        await Expect(page.GetByText("This is version 1, as it was.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Start with version 1" }).ClickAsync();
        await Expect(page.Locator(".page-head .chip")).ToHaveTextAsync("Pending");
        await Expect(page.Locator(".facts")).ToContainTextAsync("version 1");
        visit.IsClean();
    }

    [Fact]
    public async Task A_runs_page_follows_its_steps_and_takes_a_decision()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        var (name, id) = await StartAsync(visit);
        await visit.GotoAsync($"/runs/{id}");
        await Expect(page.Locator(".page-head .chip")).ToHaveTextAsync("Pending");
        await Expect(page.GetByText("This run has not begun.")).ToBeVisibleAsync();
        await Expect(page.Locator(".steps tbody tr")).ToHaveCountAsync(3);

        await AskAsync(visit, id, "second", "Shall it go on?");
        await Expect(page.Locator(".page-head .chip")).ToHaveTextAsync("Running");
        await Expect(page.Locator(".graph .step", new() { HasText = "second" })).ToContainTextAsync("Waiting");
        await Expect(page.Locator(".step-panel h2").First).ToHaveTextAsync("second");

        // The inbox has it too; an answer from there is seen on both.
        await page.GetByRole(AriaRole.Link, new() { Name = "Inbox" }).ClickAsync();
        var card = page.Locator(".question", new() { Has = page.Locator($"a[href*='{id}']") });
        await Expect(card).ToContainTextAsync("Approval");
        await card.GetByLabel("Comment (optional)").FillAsync("Looks right");
        await card.GetByRole(AriaRole.Button, new() { Name = "Approve" }).ClickAsync();
        await Expect(card).ToHaveCountAsync(0);
        await visit.GotoAsync($"/runs/{id}");
        await Expect(page.Locator(".timeline li").Last).ToContainTextAsync("Looks right");

        // By the keyboard alone: a step is a button, and choosing it is remembered by the address.
        await page.Locator(".graph .step", new() { HasText = "first" }).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(StepInAddress());
        await Expect(page.Locator(".step-panel h2").First).ToHaveTextAsync("first");

        await visit.GotoAsync($"/runs?workflow={name}");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await Expect(page.Locator("tbody tr .chip")).ToHaveTextAsync("Running");
        visit.IsClean();
    }

    [Fact]
    public async Task A_run_that_has_not_begun_is_cancelled_and_run_again()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        var (_, id) = await StartAsync(visit);
        await visit.GotoAsync($"/runs/{id}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Cancel the run" }).ClickAsync();
        await Expect(page.Locator(".page-head .chip")).ToHaveTextAsync("Canceled");
        await page.GetByRole(AriaRole.Button, new() { Name = "Retry", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Retry" }).ClickAsync();
        await Expect(page.Locator(".page-head .chip")).ToHaveTextAsync("Pending");
        // The page of one run leads to that of another.
        await page.GetByRole(AriaRole.Link, new() { Name = "Retries an earlier run" }).ClickAsync();
        await Expect(page.Locator(".page-head .chip")).ToHaveTextAsync("Canceled");
        visit.IsClean();
    }

    [Theory]
    [InlineData("/workflows", "Workflows")]
    [InlineData("/workflows/new", "New workflow")]
    [InlineData("/runs", "Runs")]
    public async Task Every_page_fits_a_phone_and_asks_no_other_host(string path, string title)
    {
        await using var visit = await browser.VisitAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 390, Height = 844 } });
        await visit.LoginAsync();
        await visit.GotoAsync(path);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = title, Level = 1 })).ToBeVisibleAsync();
        await Expect(visit.Page).ToHaveTitleAsync($"{title} · Kohakku");
        if (path.EndsWith("new", StringComparison.Ordinal)) await Expect(visit.Page.Locator(".monaco-editor .view-line").First).ToBeVisibleAsync();
        Assert.True(await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 390, $"{path} is wider than the phone.");
        visit.IsClean();
    }

    [Fact]
    public async Task A_runs_page_fits_a_phone()
    {
        await using var visit = await browser.VisitAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 390, Height = 844 } });
        await visit.LoginAsync();
        var (_, id) = await StartAsync(visit);
        await visit.GotoAsync($"/runs/{id}?step=first");
        await Expect(visit.Page.Locator(".step-panel")).ToBeVisibleAsync();
        Assert.True(await visit.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 390, "It is wider than the phone.");
        visit.IsClean();
    }

    private static string NewName() => $"w-{Guid.NewGuid():N}"[..20];

    private static string Document(string name, string needs) =>
        $$$"""
        name: {{{name}}}
        inputs:
          count: { type: integer, default: 3 }
        on_failure: tell
        steps:
          - id: first
            agent: shell
            brief: "Count to {{ inputs.count }}"
          - { id: second, {{{needs}}}, approval: { prompt: "Shall it go on?" } }
          - { id: tell, wait: 1s }

        """;

    private static async Task WriteAsync(IPage page, string document)
    {
        await Expect(page.Locator(".monaco-editor .view-line").First).ToBeVisibleAsync();
        // Not typed: the editor would indent what it is given line by line.
        await page.EvaluateAsync("document => monaco.editor.getEditors()[0].setValue(document)", document);
    }

    private static async Task<(string Name, string Id)> StartAsync(ConsoleVisit visit)
    {
        var name = NewName();
        using var client = visit.Controller.AdminClient();
        using var document = new StringContent(Document(name, "needs: [first]"), System.Text.Encoding.UTF8, "application/yaml");
        using var put = await client.PutAsync($"/api/v1/workflows/{name}", document, TestContext.Current.CancellationToken);
        put.EnsureSuccessStatusCode();
        using var inputs = new StringContent("{}", System.Text.Encoding.UTF8, "application/json");
        using var started = await client.PostAsync($"/api/v1/workflows/{name}/runs", inputs, TestContext.Current.CancellationToken);
        started.EnsureSuccessStatusCode();
        return (name, started.Headers.Location!.ToString().Split('/')[^1]);
    }

    /// <summary>As a turn of the run's workflow would do it.</summary>
    private static Task<object?> AskAsync(ConsoleVisit visit, string run, string step, string prompt) => visit.Controller.QueryAsync<object>(
        string.Create(CultureInfo.InvariantCulture, $"""
        BEGIN;
        UPDATE runs SET status = 'running', handed_at = now(), started_at = now(), event_sequence = event_sequence + 1 WHERE id = '{run}';
        UPDATE run_steps SET status = 'waiting', items = 1, started_at = now() WHERE run_id = '{run}' AND step_id = '{step}';
        UPDATE run_steps SET status = 'succeeded', items = 1, started_at = now(), ended_at = now() WHERE run_id = '{run}' AND step_id = 'first';
        INSERT INTO questions (id, project_id, run_id, step_id, kind, prompt, choices, asked_at)
          SELECT gen_random_uuid(), project_id, id, '{step}', 'approval', '{prompt}', ARRAY['approve', 'reject'], now() FROM runs WHERE id = '{run}';
        INSERT INTO run_events (run_id, id, at, type, step_id, data) SELECT id, event_sequence, now(), 'approval.asked', '{step}', jsonb_build_object('prompt', '{prompt}') FROM runs WHERE id = '{run}';
        COMMIT;
        SELECT pg_notify('kohakku_tasks', 'another {run.Replace("-", "", StringComparison.Ordinal)}');
        """));

    [GeneratedRegex(@"[?&]step=first")]
    private static partial Regex StepInAddress();
}
