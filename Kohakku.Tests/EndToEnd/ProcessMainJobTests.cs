using Kohakku.Tests.Browser;
using Kohakku.Tests.Fixtures;
using Kohakku.Tests.Local.Hosting;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Kohakku.Tests.EndToEnd;

/// <summary>The main job with agents as processes of this host.</summary>
public sealed class ProcessMainJobTests(ProcessMainJobTests.Processes installation) : MainJob(installation), IClassFixture<ProcessMainJobTests.Processes>
{
    private const string Brief = "echo begun\nsleep 2\necho '# Report' > output/report.md\necho '{ \"answer\": 42 }' > output/result.json\n";

    private readonly Processes installation = installation;

    [Fact]
    public async Task In_the_console_a_task_is_submitted_and_followed_from_its_queue_to_its_report()
    {
        await using var browser = await Chromium.LaunchAsync();
        await using var context = await browser.NewContextAsync();
        var page = await context.NewPageAsync();
        using (var login = AppHostProcess.Start(installation.Running.Data, ["run", "controller", "login"]))
        {
            Assert.Equal(0, await login.EndAsync());
            await page.GotoAsync(login.Output.Trim());
        }

        await page.GetByRole(AriaRole.Link, new() { Name = "New task" }).First.ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "New task" })).ToBeVisibleAsync();
        await page.GetByLabel("Title").FillAsync("A report");
        await page.GetByLabel("Brief").FillAsync(Brief);
        await page.GetByRole(AriaRole.Button, new() { Name = "Submit" }).ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "A report", Exact = true })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Log)).ToContainTextAsync("begun");
        await Expect(page.Locator(".facts .chip")).ToHaveTextAsync("Succeeded");
        await Expect(page.Locator(".timeline li").Last).ToContainTextAsync("Task succeeded");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Output" })).ToContainTextAsync("\"answer\": 42");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "report.md" })).ToBeVisibleAsync();
    }

    public sealed class Processes() : Installation("process")
    {
        public override Task NothingRunsAsync(Guid taskId) =>
            Eventually.Async(() => AgentProcesses.Of(taskId).Count == 0, what: $"no process of task {taskId} is left");
    }
}
