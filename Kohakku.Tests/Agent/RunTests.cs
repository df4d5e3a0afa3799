using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Agent;

public sealed class RunTests
{
    [Fact]
    public async Task A_brief_is_run_in_its_workspace_and_its_output_reported()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        using var inputs = JsonDocument.Parse("""{"repo":"here"}""");
        dispatcher.Inputs = inputs.RootElement;
        dispatcher.Brief = """
            echo "at $(pwd | sed 's|.*/||')"; cat inputs.json; echo; echo to stderr >&2
            echo '# Report' > output/report.md
            echo '{"counted": 3}' > output/result.json
            """;

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal((AgentOutcome.Succeeded, 0, null), (result.Status, result.ExitCode, result.Reason));
        Assert.Equal(3, result.Output!.Value.GetProperty("counted").GetInt32());
        Assert.Equal(["report.md", "result.json"], dispatcher.Artifacts.Keys.Order());
        // Two pipes: only each one's own order is known.
        Assert.Equal(["at workspace", "to stderr", "{\"repo\":\"here\"}"], dispatcher.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order());
    }

    [Fact]
    public async Task The_agent_gets_the_tasks_environment_and_none_of_the_runners()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Env["CI"] = "true";
        dispatcher.Env["KOHAKKU_WORKSPACE"] = "/elsewhere";
        dispatcher.Secrets["API_KEY"] = "s3cret value";
        dispatcher.Brief = "env";

        await RunnerUnderTest.RunAsync(dispatcher, ("KOHAKKU_GRACE_SECONDS", "5"), ("FROM_IMAGE", "yes"), ("TRACEPARENT", "00-a-b-01"));

        var lines = dispatcher.Log.Split('\n');
        Assert.Superset(
            new HashSet<string> { "CI=true", "API_KEY=s3cret value", "FROM_IMAGE=yes", "TRACEPARENT=00-a-b-01", "KOHAKKU_TOKEN=the-token" }, lines.ToHashSet());
        Assert.Contains(lines, line => line.StartsWith("KOHAKKU_WORKSPACE=/", StringComparison.Ordinal) && line.EndsWith("/workspace", StringComparison.Ordinal));
        Assert.Equal(
            ["KOHAKKU_ATTEMPT_ID", "KOHAKKU_BRIEF", "KOHAKKU_INPUTS", "KOHAKKU_OUTPUT", "KOHAKKU_SKILLS", "KOHAKKU_TASK_ID", "KOHAKKU_TOKEN", "KOHAKKU_URL", "KOHAKKU_WORKSPACE"],
            lines.Where(line => line.StartsWith("KOHAKKU_", StringComparison.Ordinal)).Select(line => line.Split('=')[0]).Order());
    }

    [Theory]
    [InlineData("exit 3", 3, "The agent exited with code 3.")]
    [InlineData("kill -KILL $$", 137, "The agent was killed by SIGKILL.")]
    [InlineData("kill -SEGV $$", 139, "The agent was killed by SIGSEGV.")]
    public async Task An_agent_that_fails_is_reported_with_its_exit_code_in_words(string brief, int exitCode, string error)
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = $"echo '{{\"kept\": true}}' > output/result.json; {brief}";

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal((AgentOutcome.Failed, FailureReason.AgentExit, exitCode, error), (result.Status, result.Reason, result.ExitCode, result.Error));
        Assert.True(result.Output!.Value.GetProperty("kept").GetBoolean());
    }

    [Theory]
    [InlineData("no-such-program", 127, "'no-such-program' was not found in the agent's PATH")]
    [InlineData("./missing", 127, "'./missing' was not found")]
    [InlineData("/etc/passwd", 126, "'/etc/passwd' can't be executed")]
    [InlineData("/tmp", 126, "'/tmp' can't be executed")]
    public async Task A_command_that_is_not_there_is_named(string command, int exitCode, string words)
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Command = [command];

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal((AgentOutcome.Failed, FailureReason.AgentExit, exitCode), (result.Status, result.Reason, result.ExitCode));
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_workspace_that_cant_be_written_is_the_runners_failure_not_the_agents()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = "true";

        var result = await RunnerUnderTest.RunAsync(dispatcher, (AgentEnvironment.Workspace, "/dev/null/workspace"));

        Assert.Equal((AgentOutcome.Failed, FailureReason.StartFailed, null), (result.Status, result.Reason, result.ExitCode));
        Assert.Contains("/dev/null/workspace could not be laid out", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Started_by_root_it_drops_to_the_given_user_and_gives_it_the_workspace()
    {
        Fixtures.Requirement.Met(Environment.IsPrivilegedProcess, "only root can drop to another user");
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Env["DOTNET_STARTUP_HOOKS"] = "/nonexistent.dll";
        dispatcher.Brief = "id -u; id -g; id -G; grep NoNewPrivs /proc/self/status; touch skills/mine output/mine";

        await using var runner = RunnerUnderTest.Start(dispatcher, ("KOHAKKU_RUN_AS", "65534:65533"));
        var ended = await runner.WhenEndedAsync();

        Assert.Equal((0, AgentOutcome.Succeeded), (ended.ExitCode, Assert.Single(dispatcher.Results).Status));
        Assert.Contains("65534\n65533\n65533\nNoNewPrivs:\t1\n", dispatcher.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a": 1,}""", "at line 1, byte 9")]
    [InlineData("{\n  \"a\": tru\n}", "at line 2, byte")]
    [InlineData("", "at line 1, byte 1")]
    public async Task An_invalid_result_fails_with_the_position_of_its_fault(string json, string position)
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Env["JSON"] = json;
        dispatcher.Brief = "printf %s \"$JSON\" > output/result.json";

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal((AgentOutcome.Failed, FailureReason.InvalidResult, 0), (result.Status, result.Reason, result.ExitCode));
        Assert.Contains(position, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_over_one_mebibyte_fails_and_says_the_limit()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = """{ printf '"'; head -c 1100000 /dev/zero | tr '\0' x; printf '"'; } > output/result.json""";

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(FailureReason.InvalidResult, result.Reason);
        Assert.Contains("at most 1048576", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Wrong_settings_are_all_named_in_one_line()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        await using var runner = RunnerUnderTest.Start(dispatcher, ("KOHAKKU_GRACE_SECONDS", "soon"), ("KOHAKKU_RUN_AS", "root"), ("KOHAKKU_TOKEN", ""));

        var (exitCode, errors) = await runner.WhenEndedAsync();

        Assert.Equal(10, exitCode);
        var line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.All(["KOHAKKU_GRACE_SECONDS is 'soon'", "KOHAKKU_RUN_AS is 'root'", "KOHAKKU_TOKEN is not set"], part => Assert.Contains(part, line, StringComparison.Ordinal));
    }
}
