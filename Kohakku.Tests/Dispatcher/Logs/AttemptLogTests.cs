using System.Text;
using CsCheck;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Logs;

namespace Kohakku.Tests.Dispatcher.Logs;

public sealed class AttemptLogTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kohakku-log-").FullName;

    private AttemptLog Open(long limit = AttemptLog.Limit, string? secret = null) =>
        new(Path.Combine(folder, "a.log"), new SecretRedactor(secret is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["S"] = secret }), limit);

    [Fact]
    public void Takes_what_fits_says_that_it_cut_and_then_nothing_more()
    {
        using var log = Open(limit: 1024 * 1024);
        var chunk = new string('é', 100_000) + "\n";
        var limited = false;
        for (var i = 0; i < 20; i++) limited = log.Append("stdout", chunk);
        Assert.True(limited);
        Assert.InRange(log.Length, 1024 * 1024 - 2, 1024 * 1024 + 200);
        Assert.EndsWith("[kohakku] The log has reached its limit of 1 MiB: what follows is cut.\n", log.Tail(1000));
        // Cut between characters.
        Assert.DoesNotContain('\uFFFD', Encoding.UTF8.GetString(File.ReadAllBytes(Path.Combine(folder, "a.log"))));
    }

    [Fact]
    public void The_tail_is_whole_characters_of_at_most_so_many_bytes() => Gen.String[0, 200].Where(text => !text.Any(char.IsSurrogate)).Select(Gen.Int[0, 64]).Sample((text, limit) =>
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var tail = Utf8Tail.Of(bytes, limit);
        Assert.True(tail.Length <= limit || bytes.Length <= limit);
        Assert.EndsWith(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(tail), text);
    });

    [Fact]
    public void Finds_where_the_last_lines_begin()
    {
        using var log = Open();
        log.Append("stdout", "one\ntwo\nthree\n");
        Assert.Equal([8, 4, 0, 0], new[] { 1, 2, 3, 9 }.Select(lines => (int)log.OffsetOfLastLines(lines)));
    }

    [Fact]
    public void Secrets_never_reach_the_file_also_when_cut_in_two()
    {
        using var log = Open(secret: "hunter2hunter2");
        log.Append("stdout", "a hunter2");
        log.Append("stderr", "between ");
        log.Append("stdout", "hunter2 b\n");
        log.Complete();
        Assert.Equal("a between *** b\n", log.Tail(1000));
    }

    [Fact]
    public void Goes_on_behind_what_an_earlier_process_wrote()
    {
        using (var first = Open()) first.Append("stdout", "first\n");
        using var second = Open();
        second.Append("stdout", "second\n");
        Assert.Equal("first\nsecond\n", second.Tail(1000));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
