using Kohakku.Dispatcher.AgentApi;

namespace Kohakku.Tests.Dispatcher.AgentApi;

public sealed class ArtifactPathTests
{
    [Theory]
    [InlineData("report.md")]
    [InlineData("a/b/c d/é.txt")]
    [InlineData("..almost/..")]
    public void Says_nothing_of_relative_paths_and_something_of_others(string path) =>
        Assert.Equal(path.EndsWith("/..", StringComparison.Ordinal), ArtifactPath.FaultOf(path) is not null);

    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("a/./x")]
    [InlineData("a//x")]
    [InlineData("a/")]
    [InlineData("a\\..\\x")]
    [InlineData("..%2Fx")]
    [InlineData("a\nb")]
    public void Paths_that_may_leave_the_folder_are_refused(string path) => Assert.NotNull(ArtifactPath.FaultOf(path));

    [Fact]
    public void The_sum_of_an_attempts_artifacts_is_limited_and_replacing_or_failing_gives_room()
    {
        var budget = new ArtifactBudget(limit: 100);
        using (var first = budget.Open())
        {
            first.Take(80);
            first.Keep("a");
        }
        using (var second = budget.Open()) Assert.Throws<ArtifactLimitException>(() => second.Take(21));
        using (var failed = budget.Open()) failed.Take(20);
        using (var smaller = budget.Open())
        {
            smaller.Take(20);
            smaller.Keep("a");
        }
        using var last = budget.Open();
        last.Take(80);
        Assert.Throws<ArtifactLimitException>(() => last.Take(1));
    }
}
