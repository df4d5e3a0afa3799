using System.Globalization;
using System.Text.RegularExpressions;
using Kohakku.Local.Hosting.Output;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Local.Hosting;

public sealed class OutputTests
{
    [Fact]
    public void A_warning_of_ASPNET_and_the_lines_that_belong_to_it_are_told_from_information()
    {
        var levels = new AspNetLevels(LineLevel.Information);
        string[] lines =
        [
            "info: Kohakku.Controller[1]", "      Listening.", "warn: Kohakku.Controller[2]", "      Redis is away.",
            "      System.IO.IOException: refused", "info: Kohakku.Controller[3]", "      Back.", "fail: Kohakku.Controller[4]", "      Lost.", "plain",
        ];
        Assert.Equal(
            [
                LineLevel.Information, LineLevel.Information, LineLevel.Warning, LineLevel.Warning, LineLevel.Warning,
                LineLevel.Information, LineLevel.Information, LineLevel.Error, LineLevel.Error, LineLevel.Information,
            ],
            lines.Select(levels.Next));
    }

    [Fact]
    public void The_level_is_found_behind_the_time_too()
    {
        var levels = new AspNetLevels(LineLevel.Information);
        Assert.Equal(LineLevel.Warning, levels.Next("2026-01-01T12:00:00.000Z warn: Kohakku.Dispatcher[301] Not registered yet"));
        Assert.Equal(LineLevel.Information, levels.Next("2026-01-01T12:00:00.001Z info: Kohakku.Dispatcher[302] Registered: warn"));
        Assert.Equal(LineLevel.Error, levels.Next("2026-01-01T12:00:00.001Z crit: Kohakku.Dispatcher[303] Lost"));
    }

    [Fact]
    public void A_failed_statement_is_its_clients_business_and_a_failing_server_the_operators()
    {
        var levels = new PostgresLevels();
        Assert.Equal(LineLevel.Information, levels.Next("2026-01-01 12:00:00.000 UTC [4711] ERROR:  duplicate key"));
        Assert.Equal(LineLevel.Error, levels.Next("2026-01-01 12:00:00.000 UTC [4711] FATAL:  could not write"));
        Assert.Equal(LineLevel.Error, levels.Next("\tin a second line"));
        Assert.Equal(LineLevel.Information, levels.Next("2026-01-01 12:00:00.000 UTC [4711] LOG:  ready"));
    }

    [Fact]
    public async Task Information_goes_to_the_log_alone_and_warnings_to_the_console_too()
    {
        await using var test = new TestApplication();
        test.AddServer("server", "echo 'info: A[1]'; echo '      quiet'; echo 'warn: A[2]'; echo '      loud'");

        await test.StartAsync();
        await test.StopAsync();

        var log = await File.ReadAllTextAsync(test.PathOf("logs/server.log"), TestContext.Current.CancellationToken);
        Assert.Contains("quiet", log, StringComparison.Ordinal);
        Assert.Contains("loud", log, StringComparison.Ordinal);
        Assert.DoesNotContain("quiet", test.Output, StringComparison.Ordinal);
        Assert.Contains("server |       loud", test.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void While_a_log_can_not_be_written_lines_are_counted_and_it_goes_on_when_it_can()
    {
        Requirement.Met(Environment.IsPrivilegedProcess, "only root mounts a disk that can be filled");
        using var disk = new SmallDisk(megabytes: 1);
        using var log = new ResourceLog(disk.Path, "server");
        log.Write("first");
        disk.Fill();
        for (var i = 0; i < 10_000; i++) log.Write($"line {i}");
        Assert.Equal("line 9999", log.Tail()[^1]);
        disk.Free();
        log.Write("last");

        var lines = File.ReadAllLines(log.Path);
        Assert.Equal("first", lines[0]);
        Assert.Equal("last", lines[^1]);
        var note = Regex.Match(lines[^2], @"^\[kohakku\] (\d+) lines are lost: they could not be written\.$");
        Assert.True(note.Success, lines[^2]);
        // The last that found room may have been cut, and looks like one of the others.
        Assert.InRange(int.Parse(note.Groups[1].Value, CultureInfo.InvariantCulture) + lines.Count(line => Regex.IsMatch(line, @"^line \d+$")), 10_000, 10_001);
    }

    [Fact]
    public void A_large_log_is_set_aside_also_while_it_is_written()
    {
        var folder = Directory.CreateTempSubdirectory("kohakku-logs-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "server.log"), new string('x', 11 * 1024 * 1024));
            using (var log = new ResourceLog(folder, "server")) log.Write("new");
            Assert.Equal("new\n", File.ReadAllText(Path.Combine(folder, "server.log")));
            Assert.True(File.Exists(Path.Combine(folder, "server.log.1")));

            var line = new string('y', 1_000);
            using (var log = new ResourceLog(folder, "server"))
                for (var i = 0; i < 25_000; i++) log.Write(line);
            Assert.Equal(["server.log", "server.log.1"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
            Assert.InRange(new FileInfo(Path.Combine(folder, "server.log.1")).Length, 10 << 20, (10 << 20) + 2_000);
            Assert.InRange(new FileInfo(Path.Combine(folder, "server.log")).Length, 1, 10 << 20);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
