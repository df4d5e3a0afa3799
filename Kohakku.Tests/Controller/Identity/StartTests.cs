using System.Net;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Controller.Identity;

public sealed class StartTests(PostgresFixture postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_start_makes_a_token_for_its_owner_alone_and_prints_a_link_and_the_next_keeps_both()
    {
        await using var controller = await ControllerProcess.StartNewAsync(postgres);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(controller.TokenFile));
        var token = await File.ReadAllTextAsync(controller.TokenFile, Cancel);
        using (var client = controller.AdminClient()) Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/projects", Cancel)).StatusCode);
        await Eventually.Async(() => controller.Output.Any(line => line.Contains("/login?token=", StringComparison.Ordinal)));

        await controller.StopAsync();
        await controller.StartAsync();
        Assert.Equal(token, await File.ReadAllTextAsync(controller.TokenFile, Cancel));
        Assert.Equal(1L, await controller.QueryAsync<long>("SELECT count(*) FROM login_links"));
        Assert.Equal(1L, await controller.QueryAsync<long>("SELECT count(*) FROM api_tokens"));
    }

    [Fact]
    public async Task Started_in_the_root_of_the_disk_it_does_not_watch_the_disk()
    {
        await using var controller = await ControllerProcess.StartNewAsync(postgres);
        var watches = Directory.GetFiles($"/proc/{controller.Id}/fdinfo").Sum(Watches);
        Assert.Equal(0, watches);

        static int Watches(string descriptor)
        {
            try
            {
                return File.ReadLines(descriptor).Count(line => line.StartsWith("inotify ", StringComparison.Ordinal));
            }
            catch (IOException)
            {
                // It was closed meanwhile.
                return 0;
            }
        }
    }

    [Fact]
    public async Task A_token_file_that_opens_nothing_is_replaced_and_closed_to_others()
    {
        await using var controller = await ControllerProcess.CreateAsync(postgres);
        await File.WriteAllTextAsync(controller.TokenFile, "of-another-database", Cancel);
        await controller.StartAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(controller.TokenFile));
        using var client = controller.AdminClient();
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/projects", Cancel)).StatusCode);
    }

    [Fact]
    public async Task The_configured_token_is_an_admins_and_stands_in_the_file()
    {
        const string Token = "configured-by-the-operator";
        await using var controller = await ControllerProcess.StartNewAsync(postgres, ("KOHAKKU_API_TOKEN", Token));
        Assert.Equal(Token, (await File.ReadAllTextAsync(controller.TokenFile, Cancel)).Trim());
        using var client = controller.Client(Token);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/projects", Cancel)).StatusCode);
    }

    [Fact]
    public async Task Wrong_settings_stop_it_with_one_line_each_and_tell_no_secret()
    {
        await using var controller = await ControllerProcess.CreateAsync(postgres);
        var (exitCode, _, errors) = await controller.RunAsync(
            [],
            ("ASPNETCORE_ENVIRONMENT", "Production"), ("KOHAKKU_SECRET_KEY", "too-short"), ("QUEUE_SOURCE", "redis-stream"), ("CONTROLLER_URL", "nowhere"),
            ("ALLOWED_HOSTS", "https://kohakku.example/"), ("KOHAKKU_API_TOKEN", "with spaces in it"));
        Assert.Equal(78, exitCode);
        var lines = errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (var key in (string[])["KOHAKKU_SECRET_KEY", "QUEUE_SOURCE", "CONTROLLER_URL", "ALLOWED_HOSTS", "KOHAKKU_API_TOKEN"])
            Assert.Single(lines, line => line.Contains($"{key} ", StringComparison.Ordinal));
        Assert.DoesNotContain("too-short", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("with spaces", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outside_development_it_wants_a_secret_of_its_own()
    {
        await using var controller = await ControllerProcess.CreateAsync(postgres);
        var (exitCode, _, errors) = await controller.RunAsync([], ("ASPNETCORE_ENVIRONMENT", "Production"), ("KOHAKKU_SECRET_KEY", null));
        Assert.Equal(78, exitCode);
        Assert.Contains("KOHAKKU_SECRET_KEY is not set", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Outside_development_it_takes_no_password_or_key_that_everyone_knows_and_says_so_in_one_line_each()
    {
        await using var controller = await ControllerProcess.CreateAsync(postgres);
        var (exitCode, _, errors) = await controller.RunAsync(
            [], ("ASPNETCORE_ENVIRONMENT", "Production"), ("ConnectionStrings__controller", "Host=127.0.0.1;Username=owner-of-all;Password=Owner-Of-All"),
            ("CALLBACK_SIGNING_KEY", "kohakku-development-signing-key-not-a-secret"), ("KOHAKKU_SECRET_KEY", "kohakku-development-secret-key-not-a-secret"),
            ("S3_ACCESS_KEY", "minioadmin"), ("S3_SECRET_KEY", "minioadmin"));
        Assert.Equal(78, exitCode);
        Assert.Equal(
            ["ConnectionStrings__controller", "S3_ACCESS_KEY", "S3_SECRET_KEY", "CALLBACK_SIGNING_KEY's", "KOHAKKU_SECRET_KEY"],
            errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')[1]));
        Assert.DoesNotContain("owner-of-all", errors, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("minioadmin", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_do_their_one_thing_and_an_unknown_one_is_named()
    {
        await using var controller = await ControllerProcess.CreateAsync(postgres);
        Assert.Equal(0, (await controller.RunAsync(["migrate"])).ExitCode);
        Assert.Equal(0L, await controller.QueryAsync<long>("SELECT count(*) FROM agents"));
        Assert.Equal(0, (await controller.RunAsync(["seed"])).ExitCode);
        Assert.True(await controller.QueryAsync<long>("SELECT count(*) FROM agents") > 0);
        var (exitCode, output, _) = await controller.RunAsync(["login"]);
        Assert.Equal(0, exitCode);
        Assert.StartsWith($"{controller.Url}login?token=", Assert.Single(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        (exitCode, _, var errors) = await controller.RunAsync(["migrat"]);
        Assert.Equal(78, exitCode);
        Assert.Contains("migrat", errors, StringComparison.Ordinal);
    }
}
