using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Upgrades;

/// <summary>The commands <c>migrate</c> and <c>seed</c> as processes: at once, again, killed, and while an instance serves.</summary>
public sealed class MigrationCommandTests(PostgresFixture postgres, ObjectStorageFixture storage)
{
    private static readonly string[] Commands = ["migrate", "seed"];

    [Fact]
    public async Task They_run_at_once_and_twice_on_a_new_database_though_one_is_killed_and_under_a_serving_instance_they_disturb_nobody()
    {
        await using var installation = await Installation.CreateAsync(postgres, storage);
        var victim = installation.StartCommand(Release.This, "migrate");
        var others = Commands.Select(command => installation.StartCommand(Release.This, command)).ToList();
        // In the middle: some process has begun, and none has ended.
        await Eventually.Async(async () => await installation.ReadAsync<bool>("SELECT to_regclass('\"__EFMigrationsHistory\"') IS NOT NULL"));
        await victim.KillAsync();
        await AllEndWellAsync(others);
        var migrations = await installation.ReadAsync<long>("""SELECT count(*) FROM "__EFMigrationsHistory" """);
        var agents = await installation.ReadAsync<long>("SELECT count(*) FROM agents");
        Assert.True(agents > 0);

        await installation.AddControllerAsync(Release.This);
        await installation.StartDispatcherAsync(Release.This, "one");
        await using var load = new Load(installation.Client());
        await load.GoesOnAsync();
        for (var time = 0; time < 2; time++) await AllEndWellAsync([.. Commands.Select(command => installation.StartCommand(Release.This, command))]);
        await NextRelease.MigrateAsync(installation.Database);
        var older = installation.StartCommand(Release.This, "migrate");
        await AllEndWellAsync([older]);
        Assert.Single(older.Output, line => line.Contains(NextRelease.Migration, StringComparison.Ordinal));
        await load.GoesOnAsync();
        await load.EndAsync();

        Assert.Equal((0, 0), (load.Cuts, installation.Controllers.Refused));
        Assert.Equal(migrations + 1, await installation.ReadAsync<long>("""SELECT count(*) FROM "__EFMigrationsHistory" """));
        Assert.Equal(agents, await installation.ReadAsync<long>("SELECT count(*) FROM agents"));
        Assert.Equal(0, await installation.ReadAsync<long>(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"));
    }

    private static async Task AllEndWellAsync(IReadOnlyList<ProgramProcess> commands)
    {
        foreach (var command in commands) Assert.True(await command.EndAsync() == 0, command.ToString());
    }
}
