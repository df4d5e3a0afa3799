using Kohakku.Tests.Controller.Tasks;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Controller.Triggers;

/// <summary>With a PostgreSQL of its own, which goes away.</summary>
public sealed class HookOutageTests(ObjectStorageFixture storage)
{
    [Fact]
    public async Task While_the_database_is_away_the_sender_is_asked_to_come_again()
    {
        var postgres = new PostgresFixture();
        var isAway = false;
        try
        {
            await using var controller = await RunningController.StartAsync(postgres, storage, null, TestContext.Current.CancellationToken);
            await controller.PutAsync("one", $$"""{ "verify": "github", "secret": "{{Hooks.Secret}}", "target": { "task": { "agent": "noop", "brief": "x" } } }""");
            Assert.Equal(202, (await controller.GithubAsync("one", "push", Hooks.Sample("push"))).Status);
            await postgres.DisposeAsync();
            isAway = true;
            // Whether there is such a hook shows neither then.
            foreach (var name in (string[])["one", "nothing-of-the-name"]) (await controller.GithubAsync(name, "push", Hooks.Sample("push"))).IsProblem(503);
        }
        finally
        {
            if (!isAway) await postgres.DisposeAsync();
        }
    }
}
