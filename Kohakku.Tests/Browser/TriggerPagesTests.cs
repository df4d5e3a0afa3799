using System.Text;
using Kohakku.Controller.Triggers.Hooks;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Kohakku.Tests.Browser;

public sealed class TriggerPagesTests(BrowserFixture browser) : IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task A_trigger_is_made_tested_called_and_changed()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Triggers" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No triggers yet" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "New trigger" }).ClickAsync();
        await page.GetByLabel("Name").FillAsync("from-github");
        await page.GetByLabel("Filter").FillAsync("{{ event == 'pull_request' and payloda.action == 'opened' }}");
        await page.GetByLabel("Brief").FillAsync("Review #{{ payload.number }}: {{ payload.pull_request.title }}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator(".notice.error li")).ToContainTextAsync(["secret is required", "filter uses `payloda`"]);

        await page.GetByRole(AriaRole.Button, new() { Name = "Make a secret" }).ClickAsync();
        await Expect(page.GetByLabel("Secret")).Not.ToHaveValueAsync("");
        var secret = await page.GetByLabel("Secret").InputValueAsync();
        await page.GetByLabel("Filter").FillAsync("{{ event == 'pull_request' and payload.action == 'opened' }}");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "from-github", Level = 1 })).ToBeVisibleAsync();
        await Expect(page.Locator(".copy").First).ToContainTextAsync("/api/v1/hooks/from-github");
        Assert.DoesNotContain(secret, await page.ContentAsync(), StringComparison.Ordinal);

        // The first sample is a push, which the filter does not want.
        await page.GetByRole(AriaRole.Button, new() { Name = "Test", Exact = true }).ClickAsync();
        await Expect(page.Locator(".tested .chip")).ToHaveTextAsync("Filtered");
        await page.GetByRole(AriaRole.Button, new() { Name = "Pull request opened" }).ClickAsync();
        await Expect(page.GetByLabel("Payload (JSON)")).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("Count litres"));
        await page.GetByRole(AriaRole.Button, new() { Name = "Test", Exact = true }).ClickAsync();
        await Expect(page.Locator(".tested .chip")).ToHaveTextAsync("Accepted");
        await Expect(page.Locator(".tested pre")).ToContainTextAsync("Review #321: Count litres");
        await page.GetByLabel("Payload (JSON)").FillAsync("{ nothing");
        await page.GetByRole(AriaRole.Button, new() { Name = "Test", Exact = true }).ClickAsync();
        await Expect(page.Locator(".tested li")).ToContainTextAsync("payload is not valid JSON at line 1");
        Assert.Equal(0L, await visit.Controller.QueryAsync<long>("SELECT count(*) FROM tasks"));

        // What GitHub delivers appears by itself.
        await DeliverAsync(visit, secret, """{ "action": "opened", "number": 5, "pull_request": { "title": "Descale" } }""");
        var row = page.Locator("tbody tr", new() { HasText = "pull_request" });
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Queued");
        await row.GetByRole(AriaRole.Link, new() { Name = "Task" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Review #5: Descale" })).ToBeVisibleAsync();

        // Saved again without a secret, it keeps its own.
        await visit.GotoAsync("/triggers/from-github/edit");
        await Expect(page.GetByLabel("Brief")).ToHaveValueAsync("Review #{{ payload.number }}: {{ payload.pull_request.title }}");
        await page.GetByLabel("Filter").FillAsync("");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("none: all pass")).ToBeVisibleAsync();
        await DeliverAsync(visit, secret, """{ "action": "closed", "number": 6, "pull_request": { "title": "Boil" } }""");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(2);
        visit.IsClean();

        await using var phone = await browser.VisitAsync(new BrowserNewContextOptions { ViewportSize = new ViewportSize { Width = 390, Height = 844 } });
        await phone.LoginAsync();
        foreach (var path in (string[])["/triggers", "/triggers/from-github", "/triggers/from-github/edit"])
        {
            await phone.GotoAsync(path);
            await Expect(phone.Page.GetByText("from-github").First).ToBeVisibleAsync();
            Assert.True(await phone.Page.EvaluateAsync<int>("document.documentElement.scrollWidth") <= 390, $"{path} is wider than the phone.");
        }

        phone.IsClean();
    }

    private static async Task DeliverAsync(ConsoleVisit visit, string secret, string body)
    {
        using var client = visit.Controller.Client(null);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/hooks/from-github") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("X-GitHub-Event", "pull_request");
        request.Headers.Add("X-GitHub-Delivery", Guid.NewGuid().ToString());
        request.Headers.Add(HookVerification.GithubHeader, HookVerification.SignGithub(secret, Encoding.UTF8.GetBytes(body)));
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, answer.StatusCode);
    }
}
