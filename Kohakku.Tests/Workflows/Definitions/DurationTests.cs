using CsCheck;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Tests.Workflows.Definitions;

public sealed class DurationTests
{
    [Theory]
    [InlineData("30s", 30)]
    [InlineData("5m", 300)]
    [InlineData("2h", 7_200)]
    [InlineData("1d", 86_400)]
    [InlineData("1w", 604_800)]
    [InlineData("1h30m", 5_400)]
    [InlineData("1w1d1h1m1s", 694_861)]
    [InlineData("90s", 90)]
    [InlineData("365d", 31_536_000)]
    public void It_is_read(string text, int seconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("30")]
    [InlineData("s")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("1.5h")]
    [InlineData("30m1h")]
    [InlineData("1h1h")]
    [InlineData("1 h")]
    [InlineData("1H")]
    [InlineData("366d")]
    [InlineData("99999999999s")]
    [InlineData("365d1s")]
    [InlineData("٣s")]
    public void Others_are_not(string? text) => Assert.False(Duration.TryParse(text, out _));

    [Fact]
    public void No_text_upsets_it() => Gen.String[Gen.Char["0123456789wdhms- ."], 0, 30].Sample(text => Duration.TryParse(text, out var duration) == (duration > TimeSpan.Zero));
}
