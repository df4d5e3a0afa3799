using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Kohakku.Tests.Browser;

public sealed class WebhookPagesTests(BrowserFixture browser) : IClassFixture<BrowserFixture>
{
    [Fact]
    public async Task A_webhook_is_made_tested_and_its_deliveries_are_seen_and_sent_again()
    {
        await using var visit = await browser.VisitAsync();
        var page = visit.Page;
        await visit.LoginAsync();
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Webhooks" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "New webhook" }).ClickAsync();
        await page.GetByLabel("Name").FillAsync("to-chat");
        await page.GetByLabel("Address").FillAsync("http://127.0.0.1/hook");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("is a private address");
        await page.GetByLabel("Address").FillAsync("https://example.com/hook");
        await page.GetByLabel("run.*").CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("whsec_");
        await page.GetByRole(AriaRole.Link, new() { Name = "Go on" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "to-chat", Level = 1 })).ToBeVisibleAsync();
        await Expect(page.Locator(".facts-list")).ToContainTextAsync("https://example.com/hook");
        await Expect(page.Locator(".facts-list")).ToContainTextAsync("run.*");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a test" }).ClickAsync();
        var row = page.Locator("tbody tr").First;
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Waits");
        // As the scheduler would write that it went wrong.
        await visit.Controller.QueryAsync<object>(
            """
            UPDATE webhook_deliveries SET status = 'failed', ended_at = now(), tries = 11, attempts = '[{"at":"2026-01-01T00:00:00Z","status":500,"durationMs":12,"fault":"We are sorry."}]' WHERE type = 'webhook.ping'
            """);
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Given up");
        await Expect(row).ToContainTextAsync("500, 12 ms: We are sorry.");
        await row.GetByRole(AriaRole.Button, new() { Name = "webhook.ping", Exact = true }).ClickAsync();
        await Expect(page.Locator("tr.opened")).ToContainTextAsync("\"specversion\": \"1.0\"");
        await row.GetByRole(AriaRole.Button, new() { Name = "Send webhook.ping again" }).ClickAsync();
        await Expect(row.Locator(".chip")).ToHaveTextAsync("Again later");

        await page.GetByRole(AriaRole.Button, new() { Name = "New secret" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Make it" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status).First).ToContainTextAsync("whsec_");
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "No webhooks yet" })).ToBeVisibleAsync();
        visit.IsClean();
    }
}
