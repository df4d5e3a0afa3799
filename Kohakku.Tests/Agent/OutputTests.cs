using Kohakku.Contracts.AgentProtocol;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Tests.Agent;

public sealed class OutputTests
{
    [Fact]
    public async Task A_large_file_is_streamed_in_bounded_memory_and_arrives_as_it_was()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        long peak = 0;
        RunnerUnderTest? runner = null;
        dispatcher.Fault = context =>
        {
            if (context.Request.Path.Value!.EndsWith("/result", StringComparison.Ordinal)) peak = runner!.PeakMemory();
            return Task.FromResult(false);
        };
        dispatcher.Brief = "head -c 200000000 /dev/urandom > output/large.bin; sha256sum output/large.bin";
        await using (runner = RunnerUnderTest.Start(dispatcher))
        {
            Assert.Equal(0, (await runner.WhenEndedAsync()).ExitCode);
        }

        var stored = dispatcher.Artifacts["large.bin"];
        Assert.Equal((200_000_000, dispatcher.Log.Split(' ')[0]), (stored.Size, stored.Sha256));
        Assert.True(peak < 64 * 1024, $"The runner took {peak} KiB.");
    }

    [Fact]
    public async Task Links_that_leave_the_output_and_files_that_never_end_are_left_out_and_said()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = """
            cd output
            ln -s /etc/passwd outside; ln -s ../../../../../etc/passwd relative; ln -s / root; ln -s loop loop
            echo inside > file; ln -s file link; mkdir -p 'a b/ü'; echo deep > 'a b/ü/file?#.txt'; ln -s '../a b' folder
            ln -s ../folder/../../BRIEF.md through; mkfifo pipe; ln -s pipe piped; : > empty
            """;

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(AgentOutcome.Succeeded, result.Status);
        Assert.Equal(["a b/ü/file?#.txt", "empty", "file", "link"], dispatcher.Artifacts.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(dispatcher.Artifacts["file"], dispatcher.Artifacts["link"]);
        Assert.All(["outside", "relative", "root", "loop", "through", "pipe", "piped", "folder"],
            name => Assert.Contains($"output/{name} is ", dispatcher.Log, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("rm -r output; ln -s /etc output")]
    [InlineData("rm -r output")]
    [InlineData("rm -r output; echo > output")]
    public async Task An_output_folder_that_is_none_any_more_gives_no_artifacts(string brief)
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = brief;

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(AgentOutcome.Succeeded, result.Status);
        Assert.Empty(dispatcher.Artifacts);
        Assert.Contains("there is no output folder any more", dispatcher.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_the_dispatcher_refuses_is_said_with_its_reason_and_the_rest_is_stored()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Fault = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith("/large", StringComparison.Ordinal)) return false;
            context.Response.StatusCode = StatusCodes.Status413PayloadTooLarge;
            await context.Response.WriteAsync("""{"title":"Too large","detail":"Artifacts of one attempt are limited to 1 GiB."}""");
            return true;
        };
        dispatcher.Brief = "head -c 50000000 /dev/zero > output/large; echo small > output/small";

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(AgentOutcome.Succeeded, result.Status);
        Assert.Equal(["small"], dispatcher.Artifacts.Keys);
        Assert.Contains("output/large was not stored: 413 Artifacts of one attempt are limited to 1 GiB.", dispatcher.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_more_files_than_are_taken_the_rest_is_counted()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Brief = "cd output; i=0; while [ $i -lt 10005 ]; do : > $i; i=$((i+1)); done";

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(AgentOutcome.Succeeded, result.Status);
        Assert.Equal(10_000, dispatcher.Artifacts.Count);
        Assert.Contains("more than 10000 files: 5 were left out", dispatcher.Log, StringComparison.Ordinal);
    }
}
