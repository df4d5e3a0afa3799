using CsCheck;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Failures;

namespace Kohakku.Tests.Controller.Failures;

public sealed class FailureFingerprintTests
{
    private static readonly Gen<string> Numbers = Gen.OneOf(
        Gen.Int[0, 99_999_999].Select(number => $"{number}"), Gen.Int[1000, 99_999_999].Select(number => $"{number:N0}"), Gen.Int[0, 99_999].Select(number => $"{number / 100m:0.00}"));

    private static readonly Gen<string> Ids = Gen.OneOf(
        Gen.Guid.Select(id => $"{id}"), Gen.Guid.Select(id => $"{id:N}"), Gen.UInt.Select(id => $"{id:x8}"), Gen.ULong.Select(id => $"0x{id:x}"));

    private static readonly Gen<string> Times = Gen.Select(Gen.Long[946_684_800, 4_102_444_800], Gen.Int[0, 999], Gen.Int[0, 3]).Select((seconds, milliseconds, form) =>
    {
        var time = DateTimeOffset.FromUnixTimeSeconds(seconds).AddMilliseconds(milliseconds);
        return form switch { 0 => $"{time:O}", 1 => $"{time:yyyy-MM-dd HH:mm:ss,fff}", 2 => $"{time:HH:mm:ss}", _ => $"{time.UtcDateTime:O}" };
    });

    private static readonly Gen<string> Durations = Gen.Select(Gen.Int[0, 500], Gen.Int[0, 59], Gen.Int[0, 4]).Select((some, more, form) =>
        form switch { 0 => $"{some}ms", 1 => $"{some} seconds", 2 => $"{some}m{more}s", 3 => $"{some}.{more} s", _ => $"{some}h {more}m" });

    private const string PathCharacters = "abcxyz0189._-";

    private static readonly Gen<string> Paths = Gen.String[Gen.Int[0, PathCharacters.Length - 1].Select(place => PathCharacters[place]), 1, 9]
        .Array[1, 5].Select(parts => $"/{string.Join('/', parts)}");

    private static readonly Gen<string> Lines = Gen.Select(Numbers, Ids, Times, Durations, Paths).Select((number, id, time, duration, path) =>
        $"[{time}] worker-{number} error: request {id} for {path}: took {duration}, got \"{number}\" from https://host.example{path}?q={number} in ({path})");

    private static readonly Gen<string> Logs = Gen.Select(Lines, Lines, Lines, Numbers).Select((noise, first, last, number) =>
        $"step {number}\n\u001b[31m{noise}\u001b[0m\r\nnothing to see\n{first}\n{last}\n\n");

    [Fact]
    public void The_same_text_with_other_numbers_ids_times_durations_and_paths_is_the_same_failure() => Gen.Select(Logs, Logs).Sample(
        (one, other) => Value(one) == Value(other), iter: 500);

    [Fact]
    public void Any_text_has_a_fingerprint_and_a_title_of_one_line() => Gen.Select(Gen.String.Null(), Gen.String.Null(), Gen.Enum<FailureReason>()).Sample((message, log, reason) =>
    {
        var (value, title) = FailureFingerprint.Of(reason, "coder", message, log);
        Assert.Matches("^[0-9a-f]{16}$", value);
        Assert.InRange(title.Length, 1, 200);
        Assert.DoesNotContain(title, character => character is '\0' or '\n' or '\r');
    });

    [Theory]
    [InlineData("/")]
    [InlineData("a/")]
    [InlineData("1")]
    [InlineData("1:")]
    [InlineData("1 m ")]
    [InlineData("\u001b[")]
    [InlineData("deadbeef-")]
    [InlineData("error\n")]
    [InlineData("https://")]
    [InlineData("😀")]
    public void Whatever_an_agent_writes_takes_no_longer_than_it_is_long(string piece)
    {
        var text = string.Concat(Enumerable.Repeat(piece, 1_000_000 / piece.Length));
        Assert.Equal(16, FailureFingerprint.Of(FailureReason.AgentExit, "coder", text, text).Value.Length);
    }

    [Fact]
    public void Another_reason_another_agent_and_another_error_are_other_failures()
    {
        const string log = "reading\nerror: no such table: users";
        var values = new[]
        {
            Value(log), Value(log, FailureReason.VerifyFailed), Value(log, agent: "writer"), Value("reading\nerror: no such table: orders"),
            Value(log, message: "The checks ended with exit code 3."),
        };
        Assert.Equal(values.Length, values.Distinct().Count());
    }

    [Fact]
    public void Only_the_last_64_Ki_of_a_log_are_looked_at()
    {
        const string end = "\nerror: the last word";
        Assert.Equal(Value(new string('x', 64 * 1024) + end), Value($"error: the first word\n{new string('y', 128 * 1024)}{end}"));
    }

    [Theory]
    [InlineData(FailureReason.AgentExit, "The agent ended with exit code 1.", "Traceback (most recent call last):\n  File \"/w/a.py\", line 3, in error\n    x()\nValueError: no such thing\n", "ValueError: no such thing")]
    [InlineData(FailureReason.AgentExit, "The agent ended with exit code 127.", "\u001b[1m2026-01-31T12:00:00.123Z\u001b[0m  sh: 1: dotnet: not found", "sh: 1: dotnet: not found")]
    [InlineData(FailureReason.AgentExit, "The agent ended with exit code 1.", "one\ntwo", "two")]
    [InlineData(FailureReason.AgentExit, "The agent ended with exit code 1.", null, "The agent ended with exit code 1.")]
    [InlineData(FailureReason.AgentError, "The tests don't pass.", "error: something else", "The tests don't pass.")]
    [InlineData(FailureReason.AgentError, null, "error: something", "error: something")]
    [InlineData(FailureReason.Timeout, "It ran longer than its timeout.", "error: passing", "It ran longer than its timeout.")]
    [InlineData(FailureReason.DispatcherLost, null, null, "dispatcherLost, without a word of what happened")]
    public void The_title_is_the_line_that_tells_most(FailureReason reason, string? message, string? log, string title) =>
        Assert.Equal(title, FailureFingerprint.Of(reason, "coder", message, log).Title);

    [Fact]
    public void What_a_log_says_of_an_agent_that_was_cut_off_does_not_matter() =>
        Assert.Equal(Value("error: this", FailureReason.Timeout, message: "Too long."), Value("error: that", FailureReason.Timeout, message: "Too long."));

    private static string Value(string? log, FailureReason reason = FailureReason.AgentExit, string agent = "coder", string? message = "The agent ended with exit code 1.") =>
        FailureFingerprint.Of(reason, agent, message, log).Value;
}
